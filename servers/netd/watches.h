/* Who wants to know what happens to interfaces: NET_SUBSCRIBE_EVENTS on net:. A watch is a handle
 * of its own, so it ends with whoever has it. */
#pragma once

#include "cairn/server.h"

int64_t watch_request(struct request *request);
void watch_closed(uint64_t badge);

/* watches_tell: pulses those that wait for this NET_EVENT_*. */
void watches_tell(uint32_t event);
