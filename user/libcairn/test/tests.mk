HOST_TESTS += libcairn-name-cache libcairn-spawn-block libcairn-textfile

libcairn-name-cache_SOURCES := user/libcairn/test/name_cache_test.c user/libcairn/name_cache.c
libcairn-spawn-block_SOURCES := user/libcairn/test/spawn_block_test.c user/libcairn/spawn_block.c \
    servers/init/core/block.c
libcairn-textfile_SOURCES := user/libcairn/test/textfile_test.c user/libcairn/textfile.c

# A server's messages on the host (user/libcairn/test/host/host.h): NAME_SOURCES = $(HOST) and the
# server's own files, NAME_CFLAGS = $(HOST_FLAGS). Locals begin as 0xaa, so that a reply with bytes
# that nobody wrote is found.
HOST = $(wildcard user/libcairn/test/host/*.c) user/libcairn/server.c user/libcairn/request.c \
    user/libcairn/kept.c
HOST_FLAGS = -Iuser/libcairn/test/host -Dmain=server_main -Wl,--wrap=server_run \
    -ftrivial-auto-var-init=pattern -Wno-missing-field-initializers -Wno-missing-prototypes
HOST_VIRTIO = user/libcairn/test/device/virtio.c user/libvirtio/queue.c user/libvirtio/left.c
HOST_VIRTIO_FLAGS = -Iuser/libcairn/test/device -Iuser/libvirtio

# A server that dies behind each of its stores (user/libcairn/test/mortal_server.h).
MORTAL = user/libcairn/test/mortal.c user/libcairn/test/mortal_server.c user/libcairn/kept.c \
    user/libcairn/request.c
MORTAL_FLAGS = -Iuser/libcairn/test/host -Dmain=server_main -Wno-missing-field-initializers \
    -Wno-missing-prototypes
