/* Numbers of the TCP header and its options (RFC 9293 3.1, 3.2; RFC 7323, 2018). */
#pragma once

#define TCP_HEADER         20u
#define TCP_OPTIONS_MAX    40u
#define TCP_CHECKSUM_FIELD 16u /* offset in the header */

enum tcp_flags {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
};

enum tcp_option_kind {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,            /* length 4 */
    TCP_OPTION_WINDOW_SCALE = 3,   /* length 3 */
    TCP_OPTION_SACK_PERMITTED = 4, /* length 2 */
    TCP_OPTION_SACK = 5,           /* length 2 + 8 per block */
    TCP_OPTION_TIMESTAMPS = 8,     /* length 10 */
};

#define TCP_WINDOW_SCALE_MAX 14u /* RFC 7323 2.3 */
#define TCP_SACK_BLOCKS      4u
#define TCP_TIMESTAMPS_SPACE 12u /* with two NOPs, as everybody sends it (RFC 7323 A) */
