# Host tests of IPv6: the whole core without TCP, a host made of it, and one subject each.
IP6_STACK := servers/netd/stack
IP6_TEST := $(IP6_STACK)/ip6/test
IP6_CORE := $(foreach folder,. ip ip6 ip6/ndp link transport wire,\
    $(wildcard $(IP6_STACK)/$(folder)/*.c))
IP6_TEST_COMMON := $(IP6_CORE) $(IP6_TEST)/host.c $(IP6_STACK)/test/check.c

HOST_TESTS += net_ip6_selection net_ip6_ndp net_ip6_routers net_ip6_slaac net_ip6_mld net_ip6_sockets \
    net_ip6_packets net_ip6_fragments net_ip6_routes
net_ip6_selection_SOURCES := $(IP6_STACK)/ip6/selection.c $(IP6_STACK)/address.c \
    $(IP6_TEST)/selection_test.c $(IP6_STACK)/test/check.c
net_ip6_ndp_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/ndp_test.c
net_ip6_routers_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/router_test.c
net_ip6_slaac_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/slaac_test.c
net_ip6_mld_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/mld_test.c
net_ip6_sockets_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/socket_test.c
net_ip6_packets_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/packet_test.c
net_ip6_routes_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/route_test.c
net_ip6_fragments_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/fragment_test.c

FUZZERS += net_ip6
net_ip6_SOURCES := $(IP6_TEST_COMMON) $(IP6_TEST)/fuzz_ipv6.c
net_ip6_CORPUS := $(IP6_TEST)/fuzz/net_ip6
