/* Who wants to know what happens to interfaces: NET_SUBSCRIBE_EVENTS on net:. A watch is a handle
 * of its own, so it ends with whoever has it. */
#pragma once

#include "cairn/server.h"

#define WATCHES_MAX      32
#define WATCHES_A_CLIENT 8

/* watch_request: EMFILE, the caller has its share; ENFILE, all together have too many. */
int64_t watch_request(struct request *request);
void watch_closed(uint64_t badge);

/* watches_tell: pulses those that wait for this NET_EVENT_*. */
void watches_tell(uint32_t event);
