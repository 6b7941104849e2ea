# Host tests of the resolver, on sockets of the test's.
DNS := servers/netd/stack/dns
DNS_COMMON := $(wildcard $(DNS)/*.c) $(DNS)/test/server.c $(DNS)/test/conversation.c \
    servers/netd/stack/address.c servers/netd/stack/test/fake_socket.c

HOST_TESTS += netd_dns netd_dns_hostile
netd_dns_SOURCES := $(DNS_COMMON) $(DNS)/test/resolver_test.c
netd_dns_CFLAGS := -Iuser/libcairn/test
netd_dns_hostile_SOURCES := $(DNS_COMMON) $(DNS)/test/hostile_test.c
netd_dns_hostile_CFLAGS := -Iuser/libcairn/test

FUZZERS += netd_dns_fuzz
netd_dns_fuzz_SOURCES := $(DNS_COMMON) $(DNS)/test/dns_fuzz.c
netd_dns_fuzz_CORPUS := $(DNS)/test/fuzz/netd_dns_fuzz
