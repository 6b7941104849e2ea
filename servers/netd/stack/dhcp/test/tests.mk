# Host tests of the DHCP client, on sockets of the test's.
DHCP := servers/netd/stack/dhcp
DHCP_COMMON := $(DHCP)/client.c $(DHCP)/message.c servers/netd/stack/address.c \
    servers/netd/stack/test/fake_socket.c

HOST_TESTS += netd_dhcp
netd_dhcp_SOURCES := $(DHCP_COMMON) $(DHCP)/test/server.c $(DHCP)/test/client_test.c
netd_dhcp_CFLAGS := -Iuser/libcairn/test

FUZZERS += netd_dhcp_fuzz
netd_dhcp_fuzz_SOURCES := $(DHCP_COMMON) $(DHCP)/test/dhcp_fuzz.c
netd_dhcp_fuzz_CORPUS := $(DHCP)/test/fuzz/netd_dhcp_fuzz
