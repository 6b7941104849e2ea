/* Messages as C sees them, and the four calls that move them. */
#pragma once

#include "abi/errno.h"
#include "abi/message.h"
#include <stddef.h>
#include <stdint.h>

/* A message anywhere in memory. To send: fill type, len, data, and handles and windows with
 * their counts (struct message m = {.type = ...} is a good start). After a receive: all fields
 * are valid; data behind len is unspecified. */
struct message {
    uint32_t type;
    uint16_t len;
    uint8_t handle_count;
    uint8_t window_count;
    uint32_t flags;      /* received: enum message_flags */
    uint32_t request_id; /* echoed by nobody: for the caller's own use and for traces */
    uint32_t sender;     /* received: pid, written by the kernel */
    uint64_t badge;      /* received: badge, written by the kernel; 0 = unbadged handle */
    union {
        uint64_t words[MESSAGE_DATA_MAX / 8];
        uint8_t data[MESSAGE_DATA_MAX];
    };
    handle_t handles[MESSAGE_HANDLES_MAX];
    struct window windows[MESSAGE_WINDOWS_MAX];
};

#define NO_DEADLINE 0ul

/* channel_call: sends *m, waits, and overwrites *m with the reply. 0 or -errno. */
int channel_call(handle_t channel, struct message *m);
int channel_call_deadline(handle_t channel, struct message *m, uint64_t deadline);

/* channel_recv: waits for a message. Token (> 0) to be answered with channel_reply, 0 for pulse
 * and closed messages, or -errno (-ETIMEDOUT at the deadline, ns since boot). */
int64_t channel_recv(handle_t channel, struct message *m, uint64_t deadline);

/* channel_reply: answers a call. The handles in *reply leave this process in any case. */
int channel_reply(uint64_t token, const struct message *reply);

/* channel_reply_recv: answers and receives the next in one trap; *m is both. */
int64_t channel_reply_recv(uint64_t token, struct message *m, handle_t channel, uint64_t deadline);

/* sleep_until: sleeps to a point of the monotonic clock (ns). */
void sleep_until(uint64_t deadline);

/* call_words: a call of up to four words without handles; result = word 0 of the reply. */
int64_t call_words(handle_t channel, uint32_t type, uint64_t w0, uint64_t w1, uint64_t w2);

/* ipc_thread_init: must run first in each thread, with its IPC page. crt0 does it. */
void ipc_thread_init(struct ipc_page *page);
