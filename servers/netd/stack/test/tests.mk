# Host tests of the TCP/IP core: the base alone.
NET_STACK := servers/netd/stack
NET_TEST := $(NET_STACK)/test
NET_BASE := $(addprefix $(NET_STACK)/,address.c checksum.c packet.c timer.c)

HOST_TESTS += net_base
net_base_SOURCES := $(NET_TEST)/base_test.c $(NET_TEST)/check.c $(NET_BASE)
