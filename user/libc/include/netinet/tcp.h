/* Options of TCP sockets, with Linux's numbers. */
#pragma once

#define TCP_NODELAY 1
#define TCP_MAXSEG 2
#define TCP_CORK 3
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define TCP_INFO 11
#define TCP_CONGESTION 13
#define TCP_USER_TIMEOUT 18

#define SOL_TCP 6
