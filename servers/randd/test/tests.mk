# Host tests of randd's generator.
HOST_TESTS += rand_generator
rand_generator_SOURCES := servers/randd/test/generator_test.c servers/randd/generator.c \
    servers/randd/chacha20.c
rand_generator_CFLAGS := -Iservers/randd -Iuser/libvirtio/test
