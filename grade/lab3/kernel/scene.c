/* What is printed of the threads in a script: states, and the messages that they get. */
#include "scene.h"
#include "lib/log.h"
#include "lib/string.h"
#include "proc/process.h"

struct scene scene;

static char line[512];
static unsigned line_len;

static void add_text(const char *text)
{
    while (*text && line_len < sizeof(line) - 1)
        line[line_len++] = *text++;
    line[line_len] = 0;
}

static void add_hex(const char *label, uint64_t value)
{
    char digits[17];
    unsigned at = 16;
    digits[at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value);
    add_text(label);
    add_text(digits + at);
}

uint64_t scene_hash(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0xcbf29ce484222325ul;
    for (size_t i = 0; i < n; i++)
        value = (value ^ bytes[i]) * 0x100000001b3ul;
    return value;
}

void scene_add_handle(unsigned p, handle_t handle)
{
    assert(scene.processes[p].handle_count < HANDLES);
    scene.processes[p].handles[scene.processes[p].handle_count++] = handle;
}

/* A handle that came with a message: which object, with which rights; the script may use it. */
static void add_received(unsigned p, handle_t handle)
{
    int64_t error;
    struct handle_entry *entry = handle_find(scene.processes[p].process, handle, 0, &error);
    if (!entry) {
        add_text(" bad");
    } else if (entry->object->class == &channel_class) {
        unsigned c = 0;
        while (scene.channels[c] != container_of(entry->object, struct channel, object))
            c++;
        add_hex(" c", c);
    } else {
        unsigned s = scene.session_count - 1; /* an old one's memory may be the new one's */
        while (scene.sessions[s] != container_of(entry->object, struct session, object))
            s--;
        add_hex(" s", s);
    }
    add_hex(":", entry ? entry->rights : 0);
    scene_add_handle(p, handle);
}

/* What is in a thread's registers and IPC page after a message came. */
static void add_message(unsigned t)
{
    struct thread *thread = scene.threads[t].thread;
    const uint64_t *regs = thread->regs;
    uint64_t tag = regs[REG_A1];
    unsigned from = 0;
    for (unsigned i = 0; i < scene.thread_count; i++) {
        struct thread *other = scene.threads[i].thread;
        if (other && other->state == THREAD_SERVED && other->token == regs[REG_A0]) {
            scene.threads[t].token = regs[REG_A0];
            add_hex(" token-of-", i);
        }
    }
    if (!scene.threads[t].token || scene.threads[t].token != regs[REG_A0])
        add_hex(" a0=", regs[REG_A0]);
    add_hex(" tag=", tag);
    for (int i = 0; i < 4; i++)
        add_hex(i ? "," : " words=", regs[REG_A2 + i]);
    add_hex(" id=", regs[REG_A6]);
    while (from < scene.process_count && scene.processes[from].process->pid != regs[REG_A7])
        from++;
    add_hex(from < scene.process_count ? " from=p" : " from=",
            from < scene.process_count ? from : regs[REG_A7]);
    add_hex(" badge=", regs[REG_T0]);
    if (TAG_LEN(tag) > MESSAGE_REGISTER_BYTES)
        add_hex(" tail=", scene_hash(thread->ipc->data + 32, TAG_LEN(tag) - 32));
    for (unsigned i = 0; i < TAG_WINDOWS(tag) && i < MESSAGE_WINDOWS_MAX; i++) {
        const struct window *window = &thread->ipc->windows[i];
        add_hex(" window=", window->address);
        add_hex("+", window->length);
        add_hex("/", window->access);
    }
    for (unsigned i = 0; i < TAG_HANDLES(tag) && i < MESSAGE_HANDLES_MAX; i++)
        add_received(scene.threads[t].process, thread->ipc->handles[i]);
}

void scene_print_threads(uint64_t fresh, uint64_t only_result)
{
    for (unsigned t = 0; t < scene.thread_count; t++) {
        struct thread *thread = scene.threads[t].thread;
        static const char *const names[] = {[THREAD_CALLING] = "calling",
                                            [THREAD_SERVED] = "served",
                                            [THREAD_RECEIVING] = "receiving",
                                            [THREAD_DEAD] = "free"};
        line_len = 0;
        add_hex("t", t);
        add_text(" ");
        add_text(thread ? names[thread->state] : "ended");
        if (thread)
            add_hex(" priority=", thread->priority);
        if (thread && thread->deadline)
            add_hex(" until=", thread->deadline);
        bool back = thread && thread->state == THREAD_DEAD && fresh >> t & 1;
        if (back && (int64_t)thread->regs[REG_A0] < 0)
            add_hex(" error=", -thread->regs[REG_A0]);
        else if (back && only_result >> t & 1)
            add_hex(" a0=", thread->regs[REG_A0]);
        else if (back)
            add_message(t);
        if (!back && strcmp(line, scene.threads[t].shown) == 0)
            continue;
        kprintf("%s\n", line);
        if (back) { /* the message itself is no state */
            line_len = 0;
            add_hex("t", t);
            add_hex(" free priority=", thread->priority);
        }
        memcpy(scene.threads[t].shown, line, line_len + 1);
    }
}

void scene_print_callers(const struct channel *channel)
{
    line_len = 0;
    add_text("callers");
    list_for_each(link, &channel->callers)
    {
        unsigned t = 0;
        while (scene.threads[t].thread != container_of(link, struct thread, link))
            t++;
        add_hex(" t", t);
    }
    kprintf("%s\n", line);
}

void scene_print_delivery(unsigned receiver, const struct thread *caller, bool new_token)
{
    line_len = 0;
    add_message(receiver);
    kprintf("%s windows-kept=%u new-token=%u\n", line, caller->window_count, new_token);
}
