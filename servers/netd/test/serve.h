/* netd in a host program, with one virtio-net device whose wire the test holds. */
#pragma once

#include "host.h"

void serve_prepare(void);
void serve_netd(void);

/* serve_frame: a frame arrives; false: the device has no buffer for it. */
bool serve_frame(const uint8_t *frame, uint32_t length);

/* serve_sent: the last frame that was sent (into 2048 bytes), and how many were in all. */
unsigned serve_sent(uint8_t *frame, uint32_t *length);

/* serve_link: pulls the cable out, or puts it in. */
void serve_link(bool up);
