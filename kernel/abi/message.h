/* The shape of a message, as registers and IPC page carry it.
 *
 * Registers of call, reply and reply_recv on entry:
 *   a0  channel handle (call) or reply token (reply, reply_recv)
 *   a1  tag: type | len << 32 | handles << 48 | windows << 52 | flags << 56
 *   a2..a5  the first 32 bytes of data
 *   a6  call: request id; recv and reply_recv: the channel handle to receive on
 *   t0  call, recv, reply_recv: absolute deadline in ns since boot, 0 = none
 *   a7  system call number
 * and on return:
 *   a0  call, reply: 0 or -errno; recv, reply_recv: reply token, 0 for a message that takes
 *       no reply (pulse, closed), or -errno
 *   a1  tag, a2..a5 data, a6 request id, a7 sender's pid, t0 badge (the last three on recv)
 * The remaining data, the handles and the windows are in the thread's IPC page. All other
 * registers keep their values. recv takes the channel handle in a6, too; handle 0 means
 * "only wait for the deadline".
 *
 * A call *copies* the handles it carries (each needs TRANSFER); they stay with the caller. A
 * reply *moves* them: they leave the server also when the reply fails. Handles arrive with
 * the rights that they had. */
#pragma once

#include "abi/handle.h"
#include <stdint.h>

#define MESSAGE_DATA_MAX 256
#define MESSAGE_HANDLES_MAX 4
#define MESSAGE_WINDOWS_MAX 2
#define MESSAGE_REGISTER_BYTES 32

enum {
    WINDOW_READ = 1,  /* the server may copy_in from it */
    WINDOW_WRITE = 2, /* the server may copy_out to it */
};

/* A part of the caller's memory, lent for the duration of a call. */
struct window {
    uint64_t address; /* 0 on the receiving side */
    uint64_t length;  /* bytes */
    uint64_t access;  /* WINDOW_READ | WINDOW_WRITE */
};

/* One page per thread, mapped for user and kernel alike. */
struct ipc_page {
    uint8_t data[MESSAGE_DATA_MAX]; /* bytes 0..31 travel in registers and are not read here */
    handle_t handles[MESSAGE_HANDLES_MAX];
    struct window windows[MESSAGE_WINDOWS_MAX];
};

#define TAG_TYPE(tag) ((uint32_t)(tag))
#define TAG_LEN(tag) ((uint32_t)((tag) >> 32) & 0xffff)
#define TAG_HANDLES(tag) ((uint32_t)((tag) >> 48) & 0xf)
#define TAG_WINDOWS(tag) ((uint32_t)((tag) >> 52) & 0xf)
#define TAG_FLAGS(tag) ((uint32_t)((tag) >> 56))
#define TAG(type, len, handles, windows, flags)                                                 \
    ((uint64_t)(uint32_t)(type) | (uint64_t)(len) << 32 | (uint64_t)(handles) << 48 |           \
     (uint64_t)(windows) << 52 | (uint64_t)(flags) << 56)

enum message_flags {
    MESSAGE_RESENT = 1,    /* received before by a server that died without an answer */
    MESSAGE_DELEGATED = 2, /* made by the kernel from a system call; window 0 is all memory */
};

/* Types that the kernel itself delivers on recv; they take no reply. */
enum {
    MESSAGE_PULSE = 0xffff0001,  /* word 0: the pulse bits that came */
    MESSAGE_CLOSED = 0xffff0002, /* t0: the badge whose last handle is gone */
};

/* Flags of channel_create. */
enum {
    CHANNEL_NO_RESEND = 1, /* unanswered callers of a dead server get EPEER, never RESENT */
};

/* Result type: reply type = request type | 0x80, word 0 = result or -errno (by convention of
 * every Cairn server; the kernel does not look). */
#define REPLY_TYPE(type) ((type) | 0x80u)
