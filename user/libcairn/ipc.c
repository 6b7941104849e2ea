/* Messages: the four IPC system calls, between a C struct and the registers of abi/message.h.
 *
 * Invariant: a message of up to 32 bytes without handles and windows touches no memory but its
 * own struct; only the rest goes through this thread's IPC page. */
#include "cairn/ipc.h"

#include "abi/syscall_numbers.h"
#include "internal.h"

#define REGISTER_WORDS (MESSAGE_REGISTER_BYTES / 8)

/* Bits of a tag that say: something of this message is in the IPC page. */
#define TAG_COUNTS 0x00ff000000000000ul

static __thread struct ipc_page *ipc_page;

void ipc_thread_init(struct ipc_page *page)
{
    ipc_page = page;
}

static inline uint64_t message_tag(const struct message *m)
{
    return TAG(m->type, m->len, m->handle_count, m->window_count, 0);
}

static inline bool tag_uses_page(uint64_t tag)
{
    return TAG_LEN(tag) > MESSAGE_REGISTER_BYTES || (tag & TAG_COUNTS) != 0;
}

static __attribute__((noinline)) int page_store(const struct message *m)
{
    if (m->len > MESSAGE_DATA_MAX || m->handle_count > MESSAGE_HANDLES_MAX ||
        m->window_count > MESSAGE_WINDOWS_MAX)
        return -E2BIG;
    uint64_t *to = (uint64_t *)ipc_page->data;
    for (size_t i = REGISTER_WORDS; i * 8 < m->len; i++)
        to[i] = m->words[i];
    for (size_t i = 0; i < m->handle_count; i++)
        ipc_page->handles[i] = m->handles[i];
    for (size_t i = 0; i < m->window_count; i++)
        ipc_page->windows[i] = m->windows[i];
    return 0;
}

static __attribute__((noinline)) void page_load(struct message *m)
{
    const uint64_t *from = (const uint64_t *)ipc_page->data;
    for (size_t i = REGISTER_WORDS; i * 8 < m->len; i++)
        m->words[i] = from[i];
    for (size_t i = 0; i < m->handle_count; i++)
        m->handles[i] = ipc_page->handles[i];
    for (size_t i = 0; i < m->window_count; i++)
        m->windows[i] = ipc_page->windows[i];
}

/* Takes a received tag and the register words apart into *m. The kernel's counts are in range. */
static inline void message_unpack(struct message *m, uint64_t tag, uint64_t w0, uint64_t w1,
                                  uint64_t w2, uint64_t w3)
{
    m->type = TAG_TYPE(tag);
    m->len = (uint16_t)TAG_LEN(tag);
    m->handle_count = (uint8_t)TAG_HANDLES(tag);
    m->window_count = (uint8_t)TAG_WINDOWS(tag);
    m->flags = TAG_FLAGS(tag);
    m->words[0] = w0;
    m->words[1] = w1;
    m->words[2] = w2;
    m->words[3] = w3;
    if (__builtin_expect(tag_uses_page(tag), 0))
        page_load(m);
}

int channel_call_deadline(handle_t channel, struct message *m, uint64_t deadline)
{
    register uint64_t a1 __asm__("a1") = message_tag(m);
    if (__builtin_expect(tag_uses_page(a1), 0)) {
        int error = page_store(m);
        if (error)
            return error;
        a1 = message_tag(m);
    }
    register int64_t a0 __asm__("a0") = channel;
    register uint64_t a2 __asm__("a2") = m->words[0];
    register uint64_t a3 __asm__("a3") = m->words[1];
    register uint64_t a4 __asm__("a4") = m->words[2];
    register uint64_t a5 __asm__("a5") = m->words[3];
    register uint64_t a6 __asm__("a6") = m->request_id;
    register uint64_t a7 __asm__("a7") = SYS_call;
    register uint64_t t0 __asm__("t0") = deadline;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7), "+r"(t0)
                     :
                     : "memory");
    if (a0 < 0)
        return (int)a0;
    message_unpack(m, a1, a2, a3, a4, a5);
    return 0;
}

int channel_call(handle_t channel, struct message *m)
{
    return channel_call_deadline(channel, m, NO_DEADLINE);
}

int64_t channel_recv(handle_t channel, struct message *m, uint64_t deadline)
{
    register int64_t a0 __asm__("a0") = 0;
    register uint64_t a1 __asm__("a1") = 0;
    register uint64_t a2 __asm__("a2");
    register uint64_t a3 __asm__("a3");
    register uint64_t a4 __asm__("a4");
    register uint64_t a5 __asm__("a5");
    register uint64_t a6 __asm__("a6") = (uint64_t)channel;
    register uint64_t a7 __asm__("a7") = SYS_recv;
    register uint64_t t0 __asm__("t0") = deadline;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "=r"(a2), "=r"(a3), "=r"(a4), "=r"(a5), "+r"(a6),
                       "+r"(a7), "+r"(t0)
                     :
                     : "memory");
    if (a0 < 0)
        return a0;
    m->request_id = (uint32_t)a6;
    m->sender = (uint32_t)a7;
    m->badge = t0;
    message_unpack(m, a1, a2, a3, a4, a5);
    return a0;
}

int channel_reply(uint64_t token, const struct message *reply)
{
    register uint64_t a1 __asm__("a1") = message_tag(reply);
    if (__builtin_expect(tag_uses_page(a1), 0)) {
        int error = page_store(reply);
        if (error)
            return error;
        a1 = message_tag(reply);
    }
    register int64_t a0 __asm__("a0") = (int64_t)token;
    register uint64_t a2 __asm__("a2") = reply->words[0];
    register uint64_t a3 __asm__("a3") = reply->words[1];
    register uint64_t a4 __asm__("a4") = reply->words[2];
    register uint64_t a5 __asm__("a5") = reply->words[3];
    register uint64_t a6 __asm__("a6") = 0;
    register uint64_t a7 __asm__("a7") = SYS_reply;
    register uint64_t t0 __asm__("t0") = 0;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7), "+r"(t0)
                     :
                     : "memory");
    return (int)a0;
}

int64_t ipc_reply_recv(uint64_t token, const struct message *reply, struct message *m,
                       handle_t channel, uint64_t deadline)
{
    register uint64_t a1 __asm__("a1") = message_tag(reply);
    if (__builtin_expect(tag_uses_page(a1), 0)) {
        int error = page_store(reply);
        if (error)
            return error;
        a1 = message_tag(reply);
    }
    register int64_t a0 __asm__("a0") = (int64_t)token;
    register uint64_t a2 __asm__("a2") = reply->words[0];
    register uint64_t a3 __asm__("a3") = reply->words[1];
    register uint64_t a4 __asm__("a4") = reply->words[2];
    register uint64_t a5 __asm__("a5") = reply->words[3];
    register uint64_t a6 __asm__("a6") = (uint64_t)channel;
    register uint64_t a7 __asm__("a7") = SYS_reply_recv;
    register uint64_t t0 __asm__("t0") = deadline;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7), "+r"(t0)
                     :
                     : "memory");
    if (a0 < 0)
        return a0;
    m->request_id = (uint32_t)a6;
    m->sender = (uint32_t)a7;
    m->badge = t0;
    message_unpack(m, a1, a2, a3, a4, a5);
    return a0;
}

int64_t channel_reply_recv(uint64_t token, struct message *m, handle_t channel, uint64_t deadline)
{
    return ipc_reply_recv(token, m, m, channel, deadline);
}

void sleep_until(uint64_t deadline)
{
    struct message m;
    if (deadline != NO_DEADLINE)
        channel_recv(0, &m, deadline);
}

int64_t call_words(handle_t channel, uint32_t type, uint64_t w0, uint64_t w1, uint64_t w2)
{
    struct message m;
    m.type = type;
    m.len = 24;
    m.handle_count = m.window_count = 0;
    m.request_id = 0;
    m.words[0] = w0;
    m.words[1] = w1;
    m.words[2] = w2;
    m.words[3] = 0;
    int error = channel_call_deadline(channel, &m, NO_DEADLINE);
    return error ? error : (int64_t)m.words[0];
}
