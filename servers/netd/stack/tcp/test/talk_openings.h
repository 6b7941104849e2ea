/* The beginnings of conversations. */
#pragma once

/* Without options, so that segments are 1000 octets and there is neither SACK nor scaling. */
#define CONNECT                                                                                    \
    "connect\n"                                                                                    \
    "> S 0:0 mss=1460 ws=7 sack ts\n"                                                              \
    "< SA 0:0 ack=1 mss=1000\n"                                                                    \
    "> A 1:0 ack=1\n"

#define CONNECT_WINDOW(window)                                                                     \
    "connect\n"                                                                                    \
    "> S 0:0 mss=1460 ws=7 sack ts\n"                                                              \
    "< SA 0:0 ack=1 mss=1000 win=" #window "\n"                                                    \
    "> A 1:0 ack=1\n"

/* With SACK alone. */
#define CONNECT_SACK                                                                               \
    "connect\n"                                                                                    \
    "> S 0:0 mss=1460 ws=7 sack ts\n"                                                              \
    "< SA 0:0 ack=1 mss=1000 sack\n"                                                               \
    "> A 1:0 ack=1\n"

/* With timestamps alone: 1012 leaves 1000 octets of text. */
#define CONNECT_TIMESTAMPS                                                                         \
    "connect\n"                                                                                    \
    "> S 0:0 mss=1460 ws=7 sack ts\n"                                                              \
    "< SA 0:0 ack=1 mss=1012 ts\n"                                                                 \
    "> A 1:0 ack=1 ts\n"

#define ACCEPT                                                                                     \
    "listen 5\n"                                                                                   \
    "< S 0:0 mss=1000\n"                                                                           \
    "> SA 0:0 ack=1 mss=1460\n"                                                                    \
    "< A 1:0 ack=1\n"                                                                              \
    "accept\n"

/* Ten segments are the initial window. */
#define TEN_SEGMENTS                                                                               \
    "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n> A 4001:1000\n"                     \
    "> A 5001:1000\n> A 6001:1000\n> A 7001:1000\n> A 8001:1000\n> A 9001:1000\n"
