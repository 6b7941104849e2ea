/* Every system call with arguments that no honest program would pass: pointers, handles, rights,
 * sizes and numbers. Each has its documented error, and nothing changes. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define KERNEL_TEXT 0xffffffc080200000ul
#define NOWHERE 0x600000000ul
#define HUGE UINT64_MAX
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t edge;      /* the last 8 bytes of a page behind which nothing is mapped */
static uint64_t read_only; /* a page that cannot be written */

static handle_t new_channel(void) { return (handle_t)channel_create(0); }

/* One case for a list of calls: all of them must give the expected error. */
struct tally {
    const char *name;
    unsigned calls, wrong;
    uint64_t number;
    int64_t got, expected;
    unsigned index;
};
static void expect(struct tally *tally, int64_t got, int64_t expected, uint64_t number)
{
    tally->calls++;
    if (got == expected)
        return;
    if (!tally->wrong++) {
        tally->number = number;
        tally->got = got;
        tally->expected = expected;
        tally->index = tally->calls;
    }
}
static void report(const struct tally *tally)
{
    test_case(tally->name, tally->calls > 0 && tally->wrong == 0,
              "%u of %u calls; the first is number %u, call 0x%lx: %ld instead of %ld", tally->wrong,
              tally->calls, tally->index, (unsigned long)tally->number, (long)tally->got,
              (long)tally->expected);
}

/* ---- Pointers ---- */

/* Pointers that are bad for reading; for writing, the code and read_only are, too. */
static void test_pointers(void)
{
    const uint64_t reads[] = {0, 1, 8, 0xfff, NOWHERE, NOWHERE + 4093, edge, edge + 7, KERNEL_TEXT,
                              0xffffffc000000000ul, USER_TOP, USER_TOP - 1, USER_TOP - 8,
                              1ul << 38, 1ul << 40, 1ul << 63, HUGE, HUGE - 7, HUGE - 255};
    const uint64_t writes[] = {(uint64_t)test_pointers, read_only, read_only + 4090};
    handle_t process = (handle_t)process_create("p", 1, NULL);
    handle_t memory = (handle_t)memory_create(1, 0);
    struct tally tally = {.name = "bad-pointers-to-read"};
    for (unsigned i = 0; i < COUNT(reads); i++) {
        uint64_t p = reads[i];
        expect(&tally, raw(SYS_debug_write, p, 200, 0, 0, 0, 0), -EFAULT, SYS_debug_write);
        expect(&tally, raw(SYS_process_create, p, 20, 0, 0, 0, 0), -EFAULT, SYS_process_create);
        if (p) /* no quota at all is allowed */
            expect(&tally, raw(SYS_process_create, (uint64_t)"x", 1, p, 0, 0, 0), -EFAULT,
                   SYS_process_create);
    }
    report(&tally);
    tally = (struct tally){.name = "bad-pointers-to-write"};
    for (unsigned i = 0; i < COUNT(reads) + COUNT(writes); i++) {
        uint64_t p = i < COUNT(reads) ? reads[i] : writes[i - COUNT(reads)];
        expect(&tally, raw(SYS_process_status, (uint64_t)process, p, 0, 0, 0, 0), -EFAULT,
               SYS_process_status);
        expect(&tally, raw(SYS_handle_info, (uint64_t)process, p, 0, 0, 0, 0), -EFAULT,
               SYS_handle_info);
        expect(&tally, raw(SYS_memory_info, (uint64_t)memory, p, 0, 0, 0, 0), -EFAULT,
               SYS_memory_info);
    }
    report(&tally);
    char buffer[64];
    struct process_status status;
    int64_t result = raw(SYS_process_status, (uint64_t)process, (uint64_t)buffer + 3, 0, 0, 0, 0);
    memcpy(&status, buffer + 3, sizeof(status));
    test_case("unaligned-pointer", result == 0 && status.pid > 1 && status.reason == EXIT_RUNNING,
              "%ld", (long)result);
    handle_close(process);
    handle_close(memory);
}

/* ---- Handles ---- */

/* Calls that take a handle, in this argument. */
static const struct {
    uint64_t number;
    unsigned argument;
    uint32_t type;   /* the only one it takes; 0 = any; OBJECT_CHANNEL: sessions, too */
    bool exact;      /* a channel, no session */
    uint32_t rights; /* it needs all of these */
} takers[] = {
    {SYS_process_start, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_process_kill, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_process_grant, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_process_grant, 1, 0, false, RIGHT_TRANSFER},
    {SYS_process_watch, 0, OBJECT_PROCESS, false, 0},
    {SYS_process_watch, 1, OBJECT_CHANNEL, false, RIGHT_PULSE},
    {SYS_process_status, 0, OBJECT_PROCESS, false, 0},
    {SYS_process_set_personality, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_process_set_personality, 1, OBJECT_CHANNEL, false, RIGHT_SEND},
    {SYS_process_set_priority, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_handle_close, 0, 0, false, 0},
    {SYS_handle_dup, 0, 0, false, RIGHT_DUP},
    {SYS_handle_mint, 0, OBJECT_CHANNEL, true, RIGHT_MINT},
    {SYS_handle_info, 0, 0, false, 0},
    {SYS_call, 0, OBJECT_CHANNEL, false, RIGHT_SEND},
    {SYS_recv, 6, OBJECT_CHANNEL, true, RIGHT_RECV},
    {SYS_reply_recv, 6, OBJECT_CHANNEL, true, RIGHT_RECV},
    {SYS_pulse, 0, OBJECT_CHANNEL, false, RIGHT_PULSE},
    {SYS_memory_clone, 0, OBJECT_MEMORY, false, RIGHT_MAP_R},
    {SYS_memory_map, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_memory_map, 1, OBJECT_MEMORY, false, RIGHT_MAP_R | RIGHT_MAP_W},
    {SYS_memory_unmap, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_memory_protect, 0, OBJECT_PROCESS, false, RIGHT_MANAGE},
    {SYS_memory_info, 0, OBJECT_MEMORY, false, 0},
    {SYS_map_device, 0, OBJECT_DEVICE, false, 0},
    {SYS_irq_register, 0, OBJECT_DEVICE, false, 0},
    {SYS_irq_wait, 0, OBJECT_DEVICE, false, 0},
    {SYS_irq_ack, 0, OBJECT_DEVICE, false, 0},
    {SYS_irq_unregister, 0, OBJECT_DEVICE, false, 0},
    {SYS_dma_alloc, 0, OBJECT_DEVICE, false, 0},
    {SYS_dma_free, 0, OBJECT_DEVICE, false, 0},
    {SYS_virt_to_phys, 0, OBJECT_DEVICE, false, 0},
    {SYS_device_enum, 0, OBJECT_DEVICE, false, 0},
};

static handle_t good_process, good_channel, good_session, good_memory;

/* Arguments that would do for this call, but for what is then changed. */
static struct registers plausible(uint64_t number)
{
    static uint8_t buffer[256];
    struct registers r = {{0, 0, 0, 0, 0, 0, 0, number}, test_deadline(5)};
    switch (number) {
    case SYS_process_start:
        r.a[1] = NOWHERE;
        [[fallthrough]];
    case SYS_process_kill:
    case SYS_process_set_priority:
        r.a[0] = (uint64_t)good_process;
        break;
    case SYS_process_grant:
        r.a[0] = (uint64_t)good_process;
        r.a[1] = (uint64_t)good_memory;
        break;
    case SYS_process_watch:
    case SYS_process_set_personality:
        r.a[0] = (uint64_t)good_process;
        r.a[1] = (uint64_t)good_channel;
        break;
    case SYS_process_status:
        r.a[1] = (uint64_t)buffer;
        break;
    case SYS_handle_info:
    case SYS_memory_info:
        r.a[1] = (uint64_t)buffer;
        break;
    case SYS_memory_map:
        r.a[0] = (uint64_t)good_process;
        r.a[1] = (uint64_t)good_memory;
        r.a[4] = PAGE_SIZE;
        r.a[5] = PROT_READ | PROT_WRITE;
        break;
    case SYS_memory_unmap:
    case SYS_memory_protect:
        r.a[1] = NOWHERE;
        r.a[2] = PAGE_SIZE;
        r.a[3] = PROT_READ;
        break;
    case SYS_dma_alloc:
        r.a[1] = PAGE_SIZE;
        r.a[2] = (uint64_t)buffer;
        break;
    case SYS_device_enum:
        r.a[2] = (uint64_t)buffer;
        break;
    }
    return r;
}

static int64_t with_handle(unsigned taker, handle_t handle)
{
    struct registers r = plausible(takers[taker].number);
    r.a[takers[taker].argument] = (uint64_t)(int64_t)handle;
    raw_call(&r);
    return (int64_t)r.a[0];
}

/* Zero stands for "the caller", "nobody" or "only the deadline" in these places. */
static bool zero_is_allowed(unsigned taker)
{
    uint64_t number = takers[taker].number;
    return (number == SYS_process_watch && takers[taker].argument == 1) ||
           (number == SYS_process_set_personality && takers[taker].argument == 1) ||
           (number == SYS_memory_map && takers[taker].argument == 0) ||
           number == SYS_memory_unmap || number == SYS_memory_protect || number == SYS_recv;
}

static void test_bad_handles(void)
{
    handle_t stale = new_channel(), other = new_channel();
    handle_close(stale);
    const handle_t values[] = {0,         -1,           INT32_MIN, INT32_MAX, stale,
                               4095,      4096,         5 << 12,   -other,    other + (1 << 12),
                               -ENOMEM,   0x7ffff << 12, 1 << 30};
    struct tally tally = {.name = "bad-handles"};
    for (unsigned t = 0; t < COUNT(takers); t++) {
        for (unsigned i = 0; i < COUNT(values); i++) {
            if (values[i] == 0 && zero_is_allowed(t))
                continue;
            expect(&tally, with_handle(t, values[i]), -EBADF, takers[t].number);
        }
    }
    report(&tally);
    handle_close(other);
}

static void test_wrong_types(void)
{
    const struct {
        uint32_t type;
        handle_t handle;
    } objects[] = {{OBJECT_PROCESS, good_process},
                   {OBJECT_CHANNEL, good_channel},
                   {OBJECT_SESSION, good_session},
                   {OBJECT_MEMORY, good_memory}};
    struct tally tally = {.name = "wrong-types"};
    for (unsigned t = 0; t < COUNT(takers); t++) {
        for (unsigned i = 0; i < COUNT(objects) && takers[t].type; i++) {
            bool fits = takers[t].type == objects[i].type ||
                        (takers[t].type == OBJECT_CHANNEL && !takers[t].exact &&
                         objects[i].type == OBJECT_SESSION);
            if (fits)
                continue;
            /* It has no right of the wrong kind either, so both answers are right where a right is
             * looked for first. */
            int64_t got = with_handle(t, objects[i].handle);
            expect(&tally, got == -EACCES && takers[t].rights ? -EBADF : got, -EBADF,
                   takers[t].number);
        }
    }
    report(&tally);
}

static void test_missing_rights(void)
{
    struct tally tally = {.name = "missing-rights"}, none = {.name = "no-rights-at-all"};
    for (unsigned t = 0; t < COUNT(takers); t++) {
        handle_t whole = takers[t].type == OBJECT_PROCESS   ? good_process
                         : takers[t].type == OBJECT_CHANNEL ? good_channel
                                                            : good_memory;
        for (uint32_t right = 1; right <= RIGHTS_ALL; right <<= 1) {
            if (!(takers[t].rights & right))
                continue;
            handle_t handle = (handle_t)handle_dup(whole, RIGHTS_ALL & ~right);
            expect(&tally, with_handle(t, handle), -EACCES, takers[t].number);
            handle_close(handle);
        }
        if (!takers[t].rights)
            continue;
        handle_t handle = (handle_t)handle_dup(whole, 0);
        expect(&none, with_handle(t, handle), -EACCES, takers[t].number);
        handle_close(handle);
    }
    report(&tally);
    report(&none);
    struct process_status status;
    process_status(good_process, &status);
    test_case("nothing-was-done", status.reason == EXIT_RUNNING &&
                                      process_start(good_process, NOWHERE, 0, 0, 40) == -EINVAL,
              "the process was started or killed");
}

/* ---- Numbers ---- */

static void test_unknown_calls(void)
{
    static const uint64_t numbers[] = {
        7, 8, 0xf, 0x18, 0x1f, 0x24, 0x2f, 0x38, 0x3f, 0x46, 0xff, 0x109, 0x10a, 0x200, 0xfff, 0x1000,
        0x1001, 0x1000 + 99, 0x1000 + 500, 0x2000, 0xffff, 1ul << 31, 1ul << 32, (1ul << 32) + 2,
        (1ul << 63) + 2, HUGE, HUGE - 1, 0x1000 + (1ul << 32) + 100, 0ul - 0x1000};
    struct tally tally = {.name = "unknown-calls"};
    for (unsigned i = 0; i < COUNT(numbers); i++) {
        expect(&tally, raw(numbers[i], 0, 0, 0, 0, 0, 0), -ENOSYS, numbers[i]);
        expect(&tally, raw(numbers[i], HUGE, HUGE, HUGE, HUGE, HUGE, HUGE), -ENOSYS, numbers[i]);
    }
    report(&tally);
}

static void test_values(void)
{
    const uint64_t p = (uint64_t)good_process, c = (uint64_t)good_channel, m = (uint64_t)good_memory;
    const uint64_t name = (uint64_t)"name";
    const struct {
        uint64_t number, a[6];
        int64_t expected;
    } calls[] = {
        {SYS_process_create, {name, PROCESS_NAME_MAX, 0}, -EINVAL},
        {SYS_process_create, {name, HUGE, 0}, -EINVAL},
        {SYS_process_create, {name, 1ul << 32, 0}, -EINVAL},
        {SYS_process_create, {name, 1ul << 63, 0}, -EINVAL},
        {SYS_process_start, {p, NOWHERE, 0, 0, PRIORITIES}, -EINVAL},
        {SYS_process_start, {p, NOWHERE, 0, 0, 1ul << 32}, -EINVAL},
        {SYS_process_start, {p, NOWHERE, 0, 0, HUGE}, -EINVAL},
        {SYS_process_set_priority, {p, PRIORITIES}, -EINVAL},
        {SYS_process_set_priority, {p, HUGE}, -EINVAL},
        {SYS_process_set_priority, {p, 1ul << 32}, -EINVAL},
        {SYS_process_watch, {p, c, 64}, -EINVAL},
        {SYS_process_watch, {p, c, HUGE}, -EINVAL},
        {SYS_process_watch, {p, c, 1ul << 32}, -EINVAL},
        {SYS_process_grant, {p, c, 1, 5}, -EINVAL},
        {SYS_process_grant, {p, c, 1, HUGE}, -EINVAL},
        {SYS_thread_create, {NOWHERE, 0, 0, PRIORITIES}, -EINVAL},
        {SYS_thread_create, {NOWHERE, 0, 0, HUGE}, -EINVAL},
        {SYS_thread_create, {NOWHERE, 0, 0, 1ul << 32}, -EINVAL},
        {SYS_thread_create, {NOWHERE, 0, 0, 31}, -EINVAL}, /* above the caller's own */
        {SYS_channel_create, {2}, -EINVAL},
        {SYS_channel_create, {HUGE}, -EINVAL},
        {SYS_channel_create, {1ul << 32}, -EINVAL},
        {SYS_memory_create, {0, 0}, -EINVAL},
        {SYS_memory_create, {MEMORY_SIZE_MAX + 1, 0}, -EINVAL},
        {SYS_memory_create, {HUGE, 0}, -EINVAL},
        {SYS_memory_create, {0ul - PAGE_SIZE, 0}, -EINVAL},
        {SYS_memory_create, {1ul << 63, 0}, -EINVAL},
        {SYS_memory_create, {PAGE_SIZE, 2}, -EINVAL},
        {SYS_memory_create, {PAGE_SIZE, HUGE}, -EINVAL},
        {SYS_memory_create, {PAGE_SIZE, 1ul << 32}, -EINVAL},
        {SYS_memory_map, {0, m, 0, 0, HUGE, PROT_READ}, -EINVAL},
        {SYS_memory_map, {0, m, 0, HUGE, PAGE_SIZE, PROT_READ}, -EINVAL},
        {SYS_memory_map, {0, m, KERNEL_TEXT, 0, PAGE_SIZE, PROT_READ}, -EINVAL},
        {SYS_memory_unmap, {0, KERNEL_TEXT, PAGE_SIZE}, -EINVAL},
        {SYS_memory_unmap, {0, PAGE_SIZE, HUGE}, -EINVAL},
        {SYS_memory_unmap, {0, PAGE_SIZE, USER_TOP}, -EINVAL},
        {SYS_memory_protect, {0, KERNEL_TEXT, PAGE_SIZE, PROT_READ}, -EINVAL},
        {SYS_memory_protect, {0, NOWHERE, PAGE_SIZE, PROT_READ}, -EINVAL},
        {SYS_memory_protect, {0, NOWHERE, PAGE_SIZE, 8}, -EINVAL},
        {SYS_copy_in, {0, 0, 0, name, 1}, -ESTALE},
        {SYS_copy_out, {HUGE, 0, 0, name, 1}, -ESTALE},
        {SYS_copy_out, {1ul << 63, HUGE, HUGE, HUGE, HUGE}, -ESTALE},
        {SYS_reply, {0, 0}, -ESTALE},
        {SYS_reply, {HUGE, HUGE}, -ESTALE},
    };
    struct tally tally = {.name = "values-out-of-range"};
    for (unsigned i = 0; i < COUNT(calls); i++) {
        const uint64_t *a = calls[i].a;
        expect(&tally, raw(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]), calls[i].expected,
               calls[i].number);
    }
    report(&tally);
    char text[257];
    memset(text, '.', sizeof(text));
    text[0] = '\n';
    test_case("debug-write-is-cut", raw(SYS_debug_write, (uint64_t)text, HUGE, 0, 0, 0, 0) == 256,
              "not to 256 bytes");
}

static void test_states(void)
{
    struct child child;
    struct tally tally = {.name = "started-once"};
    child_new(&child, "sleeper", NULL);
    process_start(child.process, NOWHERE, 0, 0, 0); /* faults at once */
    child_wait(&child, 2000, NULL);
    expect(&tally, process_start(child.process, NOWHERE, 0, 0, 0), -EBUSY, SYS_process_start);
    expect(&tally, process_kill(child.process, 0), 0, SYS_process_kill);
    expect(&tally, process_set_priority(child.process, 3), 0, SYS_process_set_priority);
    report(&tally);
    child_end(&child);
    handle_t a = new_channel(), b = new_channel();
    tally = (struct tally){.name = "one-watcher"};
    expect(&tally, process_watch(good_process, a, 0), 0, SYS_process_watch);
    expect(&tally, process_watch(good_process, b, 0), -EBUSY, SYS_process_watch);
    expect(&tally, process_watch(good_process, 0, 0), 0, SYS_process_watch);
    expect(&tally, process_watch(good_process, b, 0), 0, SYS_process_watch);
    expect(&tally, process_watch(good_process, 0, 0), 0, SYS_process_watch);
    report(&tally);
    handle_close(a);
    handle_close(b);
}

/* ---- Messages ---- */

static struct ipc_page *page; /* the first thread's */

static int64_t call_tag(handle_t channel, uint64_t tag)
{
    struct registers r = {{(uint64_t)channel, tag, 0, 0, 0, 0, 0, SYS_call}, test_deadline(3)};
    raw_call(&r);
    return (int64_t)r.a[0];
}

static void test_tags(void)
{
    handle_t channel = new_channel();
    handle_t kept = (handle_t)handle_dup(channel, RIGHTS_ALL & ~RIGHT_TRANSFER);
    struct tally tally = {.name = "bad-tags"};
    static const unsigned lengths[] = {257, 258, 512, 0x7fff, 0xffff};
    for (unsigned i = 0; i < COUNT(lengths); i++)
        expect(&tally, call_tag(channel, TAG(1, lengths[i], 0, 0, 0)), -E2BIG, SYS_call);
    for (uint64_t n = 5; n < 16; n++)
        expect(&tally, call_tag(channel, TAG(1, 8, n, 0, 0)), -E2BIG, SYS_call);
    for (uint64_t n = 3; n < 16; n++)
        expect(&tally, call_tag(channel, TAG(1, 8, 0, n, 0)), -E2BIG, SYS_call);
    for (uint64_t flags = 1; flags < 256; flags <<= 1)
        expect(&tally, call_tag(channel, TAG(1, 8, 0, 0, flags)), -EINVAL, SYS_call);
    report(&tally);
    tally = (struct tally){.name = "bad-handles-in-messages"};
    for (unsigned n = 1; n <= MESSAGE_HANDLES_MAX; n++) {
        for (unsigned i = 0; i < n; i++)
            page->handles[i] = channel;
        static const handle_t bad[] = {0, -1, 4095, INT32_MAX};
        for (unsigned i = 0; i < COUNT(bad); i++) {
            page->handles[n - 1] = bad[i];
            expect(&tally, call_tag(channel, TAG(1, 8, n, 0, 0)), -EBADF, SYS_call);
        }
        page->handles[n - 1] = kept;
        expect(&tally, call_tag(channel, TAG(1, 8, n, 0, 0)), -EACCES, SYS_call);
    }
    report(&tally);
    tally = (struct tally){.name = "bad-windows"};
    static const struct window bad[] = {
        {NOWHERE, 8, 0}, {NOWHERE, 8, 4}, {NOWHERE, 8, 7}, {NOWHERE, 8, HUGE}, {0, 8, 1}, {8, 8, 1},
        {KERNEL_TEXT, 8, 1}, {USER_TOP, 8, 1}, {USER_TOP - 8, 9, 1}, {NOWHERE, HUGE, 1},
        {NOWHERE, USER_TOP, 1}, {HUGE, 1, 1}, {HUGE - 7, 16, 1}, {1ul << 40, 1, 2}, {NOWHERE, 1ul << 63, 1},
    };
    for (unsigned i = 0; i < COUNT(bad); i++) {
        page->windows[0] = bad[i];
        page->windows[1] = (struct window){NOWHERE, 8, 1};
        expect(&tally, call_tag(channel, TAG(1, 8, 0, 1, 0)), -EFAULT, SYS_call);
        page->windows[0] = (struct window){NOWHERE, 8, 1};
        page->windows[1] = bad[i];
        expect(&tally, call_tag(channel, TAG(1, 8, 0, 2, 0)), -EFAULT, SYS_call);
    }
    report(&tally);
    struct message m;
    int64_t got = channel_recv(channel, &m, test_deadline(3));
    test_case("none-of-them-arrived", got == -ETIMEDOUT, "recv gave %ld", (long)got);
    handle_close(kept);
    handle_close(channel);
}

static int64_t reply_tag(int64_t token, uint64_t tag)
{
    return raw(SYS_reply, (uint64_t)token, tag, 0, 0, 0, 0);
}

/* Replies that are refused leave the call unanswered, so that a good one can follow. */
static void test_replies(void)
{
    struct puppet client;
    struct message m;
    handle_t channel = new_channel();
    handle_t kept = (handle_t)handle_dup(channel, RIGHTS_ALL & ~RIGHT_TRANSFER);
    puppet_new(&client, "client", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHT_SEND), 1, 0);
    puppet_start(&client, 10);
    int64_t token = channel_recv(channel, &m, test_deadline(2000));
    struct tally tally = {.name = "bad-replies"};
    expect(&tally, reply_tag(token, TAG(1, 257, 0, 0, 0)), -E2BIG, SYS_reply);
    expect(&tally, reply_tag(token, TAG(1, 8, 5, 0, 0)), -E2BIG, SYS_reply);
    expect(&tally, reply_tag(token, TAG(1, 8, 0, 1, 0)), -EINVAL, SYS_reply);
    expect(&tally, reply_tag(token, TAG(1, 8, 0, 0, 1)), -EINVAL, SYS_reply);
    page->handles[0] = -1;
    expect(&tally, reply_tag(token, TAG(1, 8, 1, 0, 0)), -EBADF, SYS_reply);
    page->handles[0] = kept;
    expect(&tally, reply_tag(token, TAG(1, 8, 1, 0, 0)), -EACCES, SYS_reply);
    for (unsigned bit = 0; bit < 64; bit++)
        expect(&tally, reply_tag(token ^ (int64_t)(1ul << bit), TAG(1, 8, 0, 0, 0)), -ESTALE,
               SYS_reply);
    report(&tally);
    tally = (struct tally){.name = "bad-copies"};
    static const uint64_t calls[] = {SYS_copy_in, SYS_copy_out};
    uint64_t good = (uint64_t)&m;
    for (unsigned i = 0; i < 2; i++) { /* the call lends no window */
        for (uint64_t window = 0; window < 4; window++)
            expect(&tally, raw(calls[i], (uint64_t)token, window, 0, good, 8, 0), -EINVAL, calls[i]);
        expect(&tally, raw(calls[i], (uint64_t)token, HUGE, 0, good, 8, 0), -EINVAL, calls[i]);
        expect(&tally, raw(calls[i], (uint64_t)token, 1ul << 32, 0, good, 8, 0), -EINVAL, calls[i]);
        expect(&tally, raw(calls[i], (uint64_t)token + 1024, 0, 0, good, 8, 0), -ESTALE, calls[i]);
    }
    report(&tally);
    bool waits = !client.steps[1 + call].done;
    int64_t answered = reply_tag(token, TAG(0x81, 8, 0, 0, 0));
    test_case("a-good-reply-follows",
              waits && answered == 0 && puppet_wait(&client, call) && puppet_result(&client, call) == 0,
              "waits: %d, reply %ld", waits, (long)answered);
    puppet_end(&client);
    handle_close(kept);
    handle_close(channel);
}

/* A deadline that has passed ends a wait at once; one that is huge does not. */
static void test_deadlines(void)
{
    handle_t channel = new_channel();
    struct tally tally = {.name = "odd-deadlines"};
    static const uint64_t past[] = {1, 2, 1000};
    for (unsigned i = 0; i < COUNT(past); i++) {
        struct registers r = {{0, 0, 0, 0, 0, 0, (uint64_t)channel, SYS_recv}, past[i]};
        raw_call(&r);
        expect(&tally, (int64_t)r.a[0], -ETIMEDOUT, SYS_recv);
        r = (struct registers){{(uint64_t)channel, TAG(1, 0, 0, 0, 0), 0, 0, 0, 0, 0, SYS_call}, past[i]};
        raw_call(&r);
        /* this thread is the channel's server: calling itself is the greater mistake */
        expect(&tally, (int64_t)r.a[0] == -EDEADLK ? -ETIMEDOUT : (int64_t)r.a[0], -ETIMEDOUT,
               SYS_call);
    }
    static const uint64_t future[] = {HUGE, HUGE - 1, 1ul << 63, (1ul << 63) - 1, 1ul << 62};
    for (unsigned i = 0; i < COUNT(future); i++) {
        struct puppet waiter;
        puppet_new(&waiter, "waiter", NULL);
        unsigned recv = puppet_recv(&waiter, puppet_give(&waiter, channel, RIGHT_RECV));
        waiter.steps[1 + recv].t0 = future[i];
        puppet_start(&waiter, 10);
        expect(&tally, puppet_blocked(&waiter, recv), true, SYS_recv);
        puppet_end(&waiter);
    }
    report(&tally);
    handle_close(channel);
}

/* ---- Anything at all ---- */

/* Words: 0 = seed, 1 = calls made. The generator is xorshift, so every run makes the same calls
 * for as long as the kernel gives the same answers. */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t random_argument(volatile struct child_page *p, uint64_t *state)
{
    static const uint64_t values[] = {0, 1, 2, 4, 8, 31, 63, 64, 255, 256, 257, 4095, PAGE_SIZE,
                                      2 * PAGE_SIZE, 1ul << 20, USER_TOP, USER_TOP - PAGE_SIZE,
                                      KERNEL_TEXT, NOWHERE, HUGE, 1ul << 32, 1ul << 63, CHILD_PAGE,
                                      CHILD_PAGE + 2048, CHILD_STACK_TOP - PAGE_SIZE};
    uint64_t choice = random_next(state) % 8;
    if (choice < 4)
        return (uint64_t)p->handles[random_next(state) % 8];
    if (choice < 7)
        return values[random_next(state) % COUNT(values)];
    return random_next(state);
}

static void call_anything(volatile struct child_page *p)
{
    static const uint8_t left_out[] = {SYS_debug_write, SYS_thread_exit, SYS_process_exit};
    uint64_t state = p->words[0];
    while (p->words[1] < 3000) {
        struct registers r;
        for (unsigned i = 0; i < 7; i++)
            r.a[i] = random_argument(p, &state);
        r.a[7] = random_next(&state) % 0x110;
        if (random_next(&state) % 4)
            r.a[7] %= 0x48;
        if (r.a[7] == SYS_call || r.a[7] == SYS_reply || r.a[7] == SYS_reply_recv)
            r.a[1] = TAG(1, random_next(&state) % 260, random_next(&state) % 6, random_next(&state) % 4, 0);
        r.t0 = (uint64_t)clock_now() + 20000;
        if (r.a[7] == SYS_irq_wait)
            r.a[1] = r.t0;
        bool skip = false;
        for (unsigned i = 0; i < sizeof(left_out); i++)
            skip = skip || r.a[7] == left_out[i];
        p->words[1]++;
        if (skip)
            continue;
        raw_call(&r);
        if ((int64_t)r.a[0] > 0 && r.a[0] < INT32_MAX && r.a[7] >= 0x10)
            p->handles[random_next(&state) % 8] = (handle_t)r.a[0];
    }
}

static void test_anything(void)
{
    enum { RUNS = 12 };
    struct process_quota quota = {.pages = 400, .handles = 40, .threads = 6, .channels = 30};
    handle_t self_made[RUNS];
    uint64_t calls = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct child child;
        handle_t channel = new_channel(), memory = (handle_t)memory_create(4 * PAGE_SIZE, 0);
        self_made[run] = (handle_t)handle_mint(channel, RIGHTS_ALL, run);
        child_new(&child, "anything", &quota);
        child.page->handles[0] = child_give(&child, channel, RIGHTS_ALL);
        child.page->handles[1] = child_give(&child, memory, RIGHTS_ALL);
        child.page->handles[2] = child_give(&child, child.process, RIGHTS_ALL & ~RIGHT_DUP);
        child.page->handles[3] = child_give(&child, self_made[run], RIGHTS_ALL);
        child.page->words[0] = 0x9e3779b97f4a7c15ul * (run + 1);
        handle_close(memory);
        child_start(&child, call_anything, 10);
        child_wait(&child, 3000, NULL); /* it may have killed or stopped itself */
        calls += child.page->words[1];
        child_end(&child);
        handle_close(self_made[run]);
        handle_close(channel);
    }
    test_case("anything-at-all", calls > 500, "only %lu calls were made", (unsigned long)calls);
}

int main(void)
{
    page = (struct ipc_page *)(USER_TOP - PAGE_SIZE);
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    edge = (uint64_t)memory_map(0, memory, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE) + PAGE_SIZE - 8;
    read_only = (uint64_t)memory_map(0, memory, 0, 0, PAGE_SIZE, PROT_READ);
    good_memory = memory;
    good_process = (handle_t)process_create("good", 4, NULL);
    good_channel = new_channel();
    good_session = (handle_t)handle_mint(good_channel, RIGHTS_ALL, 1);
    test_pointers();
    test_bad_handles();
    test_wrong_types();
    test_missing_rights();
    test_unknown_calls();
    test_values();
    test_states();
    test_tags();
    test_replies();
    test_deadlines();
    test_anything();
    return test_done();
}
