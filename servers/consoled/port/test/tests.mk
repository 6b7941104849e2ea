# Host tests of consoled's ports: readers, writers, flow control, the cursor.
HOST_TESTS += consoled_port consoled_cursor
consoled_port_SOURCES := servers/consoled/port/test/port_test.c servers/consoled/port/port.c \
    servers/consoled/port/cursor.c servers/consoled/line_discipline.c
consoled_port_CFLAGS := -Iuser/libvirtio/test
consoled_cursor_SOURCES := servers/consoled/port/test/cursor_test.c servers/consoled/port/cursor.c
consoled_cursor_CFLAGS := -Iuser/libvirtio/test
