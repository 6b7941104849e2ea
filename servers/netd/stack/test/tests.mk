# Host tests of the TCP/IP core. base: what the rest stands on. The others are conversations in
# virtual time (test/wire.h) with the whole stack but TCP.
NET_STACK := servers/netd/stack
NET_TEST := $(NET_STACK)/test
NET_BASE := $(addprefix $(NET_STACK)/,address.c checksum.c packet.c timer.c siphash.c)
NET_CORE := $(wildcard $(NET_STACK)/*.c $(NET_STACK)/link/*.c $(NET_STACK)/ip/*.c \
    $(NET_STACK)/ip6/*.c $(NET_STACK)/ip6/ndp/*.c $(NET_STACK)/transport/*.c \
    $(NET_STACK)/wire/*.c)
NET_WIRE := $(NET_CORE) $(NET_TEST)/check.c $(NET_TEST)/wire.c

HOST_TESTS += net_base net_arp net_ipv4 net_udp net_igmp
net_base_SOURCES := $(NET_TEST)/base_test.c $(NET_TEST)/check.c $(NET_BASE)
net_arp_SOURCES := $(NET_TEST)/arp_test.c $(NET_WIRE)
net_ipv4_SOURCES := $(NET_TEST)/ipv4_test.c $(NET_WIRE)
net_udp_SOURCES := $(NET_TEST)/udp_test.c $(NET_WIRE)
net_igmp_SOURCES := $(NET_TEST)/igmp_test.c $(NET_WIRE)

FUZZERS += net_frames
net_frames_SOURCES := $(NET_TEST)/frames_fuzz.c $(NET_WIRE)
