/* The other side of the conversation: replies put together byte by byte, so that they can be wrong
 * in any way. */
#pragma once

#include "../dhcp.h"
#include "../message.h"

struct reply {
    uint8_t bytes[1024];
    size_t length;
};

/* reply_begin: the fixed part and the type; reply_option: one more. What follows must end with
 * reply_end, if it is to be right. */
void reply_begin(struct reply *reply, enum dhcp_type type, uint32_t xid, const uint8_t address[4]);
void reply_option(struct reply *reply, uint8_t code, const void *value, uint8_t length);
void reply_number(struct reply *reply, uint8_t code, uint32_t value);
void reply_end(struct reply *reply);
/* reply_usual: server, mask, router, name server, lease time. */
void reply_usual(struct reply *reply, uint32_t lease);
