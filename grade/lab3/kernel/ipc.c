/* Works through a script of operations on threads that never run: each is put on the hart as if it
 * had trapped, the kernel does its system call, and what has become of every thread is printed. So
 * each interleaving can be had, and the host knows what must come of it (grade/lab3/model.py, which
 * also says what the operations mean). */
#include "../../kernel/test.h"
#include "dev/timer.h"
#include "ipc/channel.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"
#include "scene.h"
#include "trap/syscall.h"

#define MEMORY_START 0x100000ul
#define MEMORY_SIZE  0x4000ul

enum op {
    OP_PROCESS,
    OP_THREAD,
    OP_CHANNEL,
    OP_GRANT,
    OP_MINT,
    OP_CHARGED,
    OP_CLOSE,
    OP_KILL,
    OP_END,
    OP_FILL,
    OP_HANDLES,
    OP_WINDOW,
    OP_CHECK,
    OP_DELIVER,
    OP_BIND,
    OP_QUEUE,
    OP_SERVE,
    OP_DONATE,
    OP_RECOMPUTE,
    OP_BASE,
    OP_CIRCLE,
    OP_ORDER,
    OP_WAITING,
    OP_CALL,
    OP_RECV,
    OP_REPLY,
    OP_REPLY_RECV,
    OP_PULSE,
    OP_COPY_IN,
    OP_COPY_OUT,
    OP_EXPIRE,
};

syscall_handler sys_call, sys_recv, sys_reply, sys_reply_recv, sys_pulse, sys_copy_in, sys_copy_out;

/* Takes every thread that the kernel would run now off the hart and the queues: it is free. */
static uint64_t park(void)
{
    uint64_t came_back = 0;
    for (unsigned t = 0; t < scene.thread_count; t++) {
        struct thread *thread = scene.threads[t].thread;
        if (!thread || (thread->state != THREAD_READY && thread->state != THREAD_RUNNING))
            continue;
        scheduler_forget(thread);
        thread->state = THREAD_DEAD; /* as a thread is before it is started */
        came_back |= 1ul << t;
    }
    struct hart *hart = this_hart();
    hart->current = hart->charged = NULL;
    hart->satp = 0; /* as when it is idle: no address space may be in use when it is freed */
    csr_write(satp, SATP_SV39 | virt_to_phys(kernel_page_table) >> PAGE_SHIFT);
    return came_back;
}

/* ---- Operations ---------------------------------------------------------------------------- */

static handle_t handle_of(unsigned p, uint64_t k)
{
    return k < scene.processes[p].handle_count ? scene.processes[p].handles[k] : (handle_t)k;
}

static void make_process(unsigned p, uint32_t handles_max)
{
    struct process_quota quota = {.handles = handles_max};
    scene.processes[p].process = process_new("test", NULL, &quota);
    assert(scene.processes[p].process);
    struct process *process = scene.processes[p].process;
    object_retain(&process->object);
    process->started = scene.processes[p].alive = true;
    struct memory *memory = memory_new(MEMORY_SIZE, 0, process->account);
    assert(space_map(&process->space, memory, MEMORY_START, 0, MEMORY_SIZE, PROT_READ | PROT_WRITE,
                     PROT_READ | PROT_WRITE) > 0);
    object_release(&memory->object);
    for (unsigned i = 0; i < MEMORY_SIZE; i += PAGE_SIZE) {
        uint8_t page[PAGE_SIZE / 8];
        for (unsigned j = 0; j < sizeof(page); j++)
            page[j] = (uint8_t)(p * 57 + i / PAGE_SIZE * 31 + j * 7);
        for (unsigned j = 0; j < 8; j++)
            copy_to_user(&process->space, MEMORY_START + i + j * sizeof(page), page, sizeof(page));
    }
}

static uint64_t memory_hash(struct process *process)
{
    static uint8_t bytes[MEMORY_SIZE];
    copy_from_user(&process->space, bytes, MEMORY_START, MEMORY_SIZE);
    return scene_hash(bytes, MEMORY_SIZE);
}

static void forget_ended(unsigned p)
{
    for (unsigned t = 0; t < scene.thread_count; t++) {
        if (scene.threads[t].process == p)
            scene.threads[t].thread = NULL;
    }
}

/* One of the operations that make and end things. */
static int64_t manage(enum op op, const uint64_t *x)
{
    struct process *process = scene.processes[x[0]].process;
    switch (op) {
    case OP_PROCESS: /* handles_max */
        assert(scene.process_count < OBJECTS);
        make_process(scene.process_count++, (uint32_t)x[0]);
        return 0;
    case OP_THREAD: /* process, priority */
        assert(scene.thread_count < OBJECTS);
        scene.threads[scene.thread_count].thread = thread_new(process, (uint32_t)x[1]);
        scene.threads[scene.thread_count].thread->hart = this_hart();
        scene.threads[scene.thread_count++].process = (unsigned)x[0];
        return 0;
    case OP_CHANNEL: { /* process, flags, rights */
        struct channel *channel = channel_new(process->account, (uint32_t)x[1], NULL);
        object_retain(&channel->object); /* it stays, for the table */
        scene.channels[scene.channel_count++] = channel;
        scene_add_handle((unsigned)x[0], handle_insert(process, &channel->object, (uint32_t)x[2]));
        return 0;
    }
    case OP_GRANT: { /* from, handle, to, rights */
        int64_t error;
        struct handle_entry *entry =
            handle_find(process, handle_of((unsigned)x[0], x[1]), 0, &error);
        object_retain(entry->object);
        scene_add_handle((unsigned)x[2], handle_insert(scene.processes[x[2]].process, entry->object,
                                                       entry->rights & (uint32_t)x[3]));
        return 0;
    }
    case OP_MINT: { /* process, channel, rights, badge */
        struct session *session = session_new(scene.channels[x[1]], x[3], process->account);
        scene.sessions[scene.session_count++] = session;
        scene_add_handle((unsigned)x[0], handle_insert(process, &session->object, (uint32_t)x[2]));
        return 0;
    }
    case OP_CHARGED: /* process: for how many channels and sessions it pays */
        return (int64_t)process->account->channels;
    case OP_CLOSE: /* process, handle */
        return handle_drop(process, handle_of((unsigned)x[0], x[1]));
    case OP_KILL: /* process */
        process_end(process, EXIT_KILLED, 0);
        scene.processes[x[0]].alive = false;
        forget_ended((unsigned)x[0]);
        while (reaper_step())
            ;
        return 0;
    default: /* OP_END: thread */
        thread_end(scene.threads[x[0]].thread);
        scene.threads[x[0]].thread = NULL;
        return 0;
    }
}

/* One that prepares a message or looks at a part of the kernel by itself. */
static int64_t prepare(enum op op, const uint64_t *x)
{
    struct thread *thread = scene.threads[x[0]].thread;
    switch (op) {
    case OP_FILL: /* thread, seed */
        for (unsigned i = 32; i < MESSAGE_DATA_MAX; i++)
            thread->ipc->data[i] = (uint8_t)(x[1] * 31 + i * 7);
        return 0;
    case OP_HANDLES: /* thread, four handles */
        for (unsigned i = 0; i < MESSAGE_HANDLES_MAX; i++)
            thread->ipc->handles[i] = handle_of(scene.threads[x[0]].process, x[1 + i]);
        return 0;
    case OP_WINDOW: /* thread, index, address, length, access */
        thread->ipc->windows[x[1]] = (struct window){x[2], x[3], x[4]};
        return 0;
    case OP_CHECK: { /* thread, tag */
        int64_t error = message_check(thread, x[1]);
        for (unsigned i = 0; !error && i < TAG_WINDOWS(x[1]); i++)
            kprintf("window %lx+%lx/%lx\n", thread->windows[i].address, thread->windows[i].length,
                    thread->windows[i].access);
        return error;
    }
    case OP_DELIVER: { /* caller, receiver, tag, words, id, badge, resent */
        thread->regs[REG_A1] = x[2];
        memcpy(&thread->regs[REG_A2], &x[3], 32);
        thread->regs[REG_A6] = x[7];
        thread->badge = x[8];
        thread->resent = (uint8_t)x[9];
        thread->window_count = 0;
        uint64_t before = thread->token;
        int64_t error = call_deliver(thread, scene.threads[x[1]].thread);
        if (error)
            return error;
        thread->state = THREAD_SERVED;
        scene_print_delivery((unsigned)x[1], thread, thread->token != before);
        thread->state = THREAD_DEAD;
        return 0;
    }
    default:
        return -ENOSYS;
    }
}

/* One that builds a picture of who waits for whom, or asks about it. */
static int64_t waits(enum op op, const uint64_t *x)
{
    struct thread *thread = scene.threads[x[0]].thread;
    switch (op) {
    case OP_BIND: /* thread, channel: the only thread that receives there */
        scene.channels[x[1]]->server = thread;
        list_push_back(&thread->bound, &scene.channels[x[1]]->server_link);
        return 0;
    case OP_QUEUE: /* thread, channel */
        thread->state = THREAD_CALLING;
        thread->channel = scene.channels[x[1]];
        object_retain(&scene.channels[x[1]]->object);
        caller_insert(thread);
        return 0;
    case OP_SERVE: /* thread, channel, server */
        thread->state = THREAD_SERVED;
        thread->channel = scene.channels[x[1]];
        object_retain(&scene.channels[x[1]]->object);
        thread->server_thread = scene.threads[x[2]].thread;
        thread->server_process = scene.threads[x[2]].thread->process;
        list_push_back(&thread->server_process->serving, &thread->link);
        return 0;
    case OP_DONATE: /* channel, priority */
        donate(scene.channels[x[0]], (unsigned)x[1]);
        return 0;
    case OP_RECOMPUTE: /* server */
        donation_recompute(thread);
        return 0;
    case OP_BASE: /* thread, priority */
        if (thread->priority == thread->base_priority || x[1] > thread->priority)
            thread_set_priority(thread, (unsigned)x[1]);
        thread->base_priority = (uint8_t)x[1];
        donation_base_changed(thread);
        return 0;
    case OP_CIRCLE: /* caller, channel */
        return would_deadlock(thread, scene.channels[x[1]]);
    case OP_ORDER: /* channel */
        scene_print_callers(scene.channels[x[0]]);
        return 0;
    default: /* OP_WAITING: thread, channel: as recv would leave it */
        thread->state = THREAD_RECEIVING;
        thread->channel = scene.channels[x[1]];
        list_push_front(&scene.channels[x[1]]->receivers, &thread->link);
        return 0;
    }
}

/* A system call of a thread, through its handler and with its registers. */
static int64_t system_call(enum op op, const uint64_t *x)
{
    struct thread *thread = scene.threads[x[0]].thread;
    uint64_t *regs = thread->regs;
    uint64_t first = handle_of(scene.threads[x[0]].process, x[1]);
    if (op == OP_REPLY || op == OP_REPLY_RECV || op == OP_COPY_IN || op == OP_COPY_OUT)
        first = x[1] > ~0ul - OBJECTS ? scene.threads[~0ul - x[1]].token : x[1];
    regs[REG_A0] = first;
    for (int i = 0; i < 5; i++)
        regs[REG_A1 + i] = x[2 + i];
    regs[REG_A6] = op == OP_RECV || op == OP_REPLY_RECV
                       ? (uint64_t)handle_of(scene.threads[x[0]].process, x[7])
                       : x[7];
    regs[REG_A7] = 0;
    regs[REG_T0] = x[8];
    static syscall_handler *const handlers[] = {
        [OP_CALL] = sys_call,        [OP_RECV] = sys_recv,
        [OP_REPLY] = sys_reply,      [OP_REPLY_RECV] = sys_reply_recv,
        [OP_PULSE] = sys_pulse,      [OP_COPY_IN] = sys_copy_in,
        [OP_COPY_OUT] = sys_copy_out};
    thread->state = THREAD_RUNNING;
    this_hart()->current = thread;
    int64_t result = handlers[op](thread, regs[REG_A0], regs[REG_A1], regs[REG_A2], regs[REG_A3],
                                  regs[REG_A4], regs[REG_A5]);
    if (result != SYSCALL_DONE && this_hart()->current == thread)
        regs[REG_A0] = (uint64_t)result;
    return 0;
}

/* Whether things are still as the script expects; if not, an earlier line says what went wrong, and
 * to go on would only destroy more. */
static bool possible(enum op op, const uint64_t *x)
{
    if (op == OP_PROCESS)
        return true;
    if (op == OP_DONATE || op == OP_ORDER)
        return x[0] < scene.channel_count;
    if (op <= OP_KILL) {
        int64_t error;
        struct process *process = x[0] < scene.process_count ? scene.processes[x[0]].process : NULL;
        return process && (scene.processes[x[0]].alive || op == OP_CHARGED) &&
               (op != OP_GRANT || handle_find(process, handle_of((unsigned)x[0], x[1]), 0, &error));
    }
    struct thread *thread = x[0] < scene.thread_count ? scene.threads[x[0]].thread : NULL;
    bool is_free = thread && thread->state == THREAD_DEAD;
    if (op == OP_EXPIRE)
        return thread && !is_free;
    return op == OP_END || (op >= OP_RECOMPUTE && op <= OP_CIRCLE) ? thread != NULL : is_free;
}

/* What the timer's interrupt does. */
static void expire(struct thread *thread)
{
    timer_cancel(thread);
    receive_timed_out(thread);
}

KERNEL_TEST(ipc)
{
    process_new("first", NULL, NULL); /* number 1, whose end would be the end */
    for (unsigned number = 0; workload_more(workload); number++) {
        enum op op = (enum op)workload_next(workload);
        uint64_t x[10], count = workload_next(workload);
        for (unsigned i = 0; i < 10; i++)
            x[i] = i < count ? workload_next(workload) : 0;
        int64_t result = 0;
        if (!possible(op, x))
            return;
        if (op <= OP_END)
            result = manage(op, x);
        else if (op <= OP_DELIVER)
            result = prepare(op, x);
        else if (op <= OP_WAITING)
            result = waits(op, x);
        else if (op == OP_EXPIRE)
            expire(scene.threads[x[0]].thread);
        else
            result = system_call(op, x);
        if (op == OP_COPY_IN || op == OP_COPY_OUT)
            kprintf("memory %lx\n", memory_hash(scene.processes[x[9]].process));
        kprintf("#%u %ld\n", number, result);
        bool message = op == OP_CALL || op == OP_RECV || op == OP_REPLY_RECV;
        scene_print_threads(park(), op < OP_CALL || message ? 0 : 1ul << x[0]);
    }
}
