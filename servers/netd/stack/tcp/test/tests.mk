# Host tests of TCP: the layer itself over a played Internet layer.
TCP_DIR := servers/netd/stack/tcp
TCP_TEST := $(TCP_DIR)/test
TCP_CORE := $(wildcard $(TCP_DIR)/*.c $(TCP_DIR)/*/*.c)
TCP_CORE := $(filter-out $(TCP_TEST)/%,$(TCP_CORE)) \
    $(addprefix servers/netd/stack/,address.c checksum.c packet.c timer.c siphash.c socket.c socket_options.c)
TCP_HOST := $(TCP_CORE) $(TCP_TEST)/host.c $(TCP_TEST)/stream.c servers/netd/stack/test/check.c
TCP_TALK := $(TCP_HOST) $(TCP_TEST)/talk.c

HOST_TESTS += tcp_states tcp_sending tcp_receiving tcp_defence tcp_calls tcp_offload tcp_sack
tcp_calls_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_calls.c
tcp_defence_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_defence.c
tcp_offload_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_offload.c
tcp_receiving_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_receiving.c
tcp_sack_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_sack.c
tcp_sending_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_sending.c
tcp_states_SOURCES := $(TCP_TALK) $(TCP_TEST)/test_states.c

TCP_PAIR := $(TCP_HOST) $(TCP_TEST)/wire.c $(TCP_TEST)/program.c
HOST_TESTS += tcp_simulation
tcp_simulation_SOURCES := $(TCP_PAIR) $(TCP_TEST)/books.c $(TCP_TEST)/test_simulation.c
HOST_TESTS += tcp_transfer
tcp_transfer_SOURCES := $(TCP_PAIR) $(TCP_TEST)/test_transfer.c

# The whole stack, with the streams of the played host.
HOST_TESTS += tcp_stack
tcp_stack_SOURCES := $(sort $(TCP_CORE) $(wildcard servers/netd/stack/*.c) $(foreach folder,ip ip6 \
    ip6/ndp link transport wire,$(wildcard servers/netd/stack/$(folder)/*.c))) \
    $(TCP_TEST)/stream.c $(TCP_TEST)/test_stack.c servers/netd/stack/test/check.c

FUZZERS += tcp_options tcp_segments
tcp_options_SOURCES := $(TCP_DIR)/segment.c $(TCP_TEST)/fuzz_tcp_options.c
tcp_segments_SOURCES := $(TCP_HOST) $(TCP_TEST)/books.c $(TCP_TEST)/fuzz_tcp_segments.c
