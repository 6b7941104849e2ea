/* thread_new and thread_end, from inside: what a list of operations makes of threads, processes
 * and their memory. */
#include "dev/timer.h"
#include "mm/frame.h"
#include "proc/scheduler.h"
#include "support.h"

enum { OP_PROCESS, OP_MAKE, OP_FREE, OP_PAGES };
#define PROCESSES 16

static struct process *processes[PROCESSES];
static struct thread *made[2 * THREADS_MAX];

static void describe(const struct thread *thread, const struct process *process)
{
    struct region *region = space_region(&thread->process->space, thread->ipc_address);
    kprintf("thread %u %lu %u %u %d %d %d\n", thread->slot, thread->token, thread->priority,
            thread->base_priority, thread->process == process, thread_table[thread->slot] == thread,
            region && region->memory == thread->ipc_memory && thread->ipc_memory);
}

static void make(struct process *process, uint32_t priority, struct thread **place)
{
    size_t frames = frames_free();
    uint32_t pages = process->account->pages;
    struct thread *thread = thread_new(process, priority);
    *place = thread;
    if (thread)
        describe(thread, process);
    else
        kprintf("none %ld %d\n", (long)(frames - frames_free()),
                (int)(process->account->pages - pages));
    kprintf("process %u %lu %u\n", process->threads_used, list_length(&process->threads),
            process->object.references);
}

/* As thread_end does with a thread that is in no queue, after it has had some calls. */
static void let_go(struct thread *thread, uint64_t calls)
{
    while (calls--)
        token_renew(thread);
    kprintf("freed %u %lu\n", thread->slot, thread->token);
    list_remove(&thread->process_link);
    thread->process->threads_used--;
    thread->state = THREAD_DEAD;
    thread_reap(thread);
}

KERNEL_TEST(thread_new)
{
    size_t process_count = 0, count = 0;
    while (workload_more(workload)) {
        uint64_t op = workload_next(workload), a = workload_next(workload);
        uint64_t b = workload_next(workload);
        switch (op) {
        case OP_PROCESS: /* a = most pages, b = most threads */
            processes[process_count++] = test_process((uint32_t)a, (uint32_t)b);
            kprintf("new %u\n", processes[process_count - 1]->object.references);
            break;
        case OP_MAKE: /* a = process, b = priority */
            make(processes[a], (uint32_t)b, &made[count]);
            count++;
            break;
        case OP_FREE: /* a = which, b = calls */
            let_go(made[a], b);
            break;
        case OP_PAGES: /* a = process, b = how many more pages it may have */
            processes[a]->account->limit.pages = processes[a]->account->pages + (uint32_t)b;
            break;
        }
    }
}

/* thread_end of a thread that is in the middle of something. Of each of the lists that the thread
 * is in, its neighbours must be neighbours afterwards. */
enum { CASE_NEW, CASE_READY, CASE_WAITING, CASE_QUEUED, CASE_RUNNING, CASE_ELSEWHERE };
#define FAKE_HART 5

struct scene {
    struct process *process;
    struct thread *before, *thread, *after;
    struct list queue; /* as that of a channel */
};

static void set_scene(struct scene *scene, uint64_t kind, uint32_t priority)
{
    struct thread *three[] = {scene->before, scene->thread, scene->after};
    list_init(&scene->queue);
    for (int i = 0; i < 3; i++) {
        if (kind == CASE_READY) {
            three[i]->priority = (uint8_t)priority;
            thread_make_ready(three[i]);
        } else if (kind == CASE_WAITING) {
            timer_wait(three[i], time_now() + 1000000000000ul * (uint64_t)(i + 1));
        } else if (kind == CASE_QUEUED) {
            list_push_back(&scene->queue, &three[i]->link);
        }
    }
    if (kind == CASE_NEW)
        scene->thread->state = THREAD_DEAD; /* as thread_new leaves it */
    if (kind == CASE_RUNNING || kind == CASE_ELSEWHERE)
        switch_to(scene->thread);
}

/* Free frames, after all that is to be freed has been. */
static size_t settled_frames(void)
{
    while (reaper_step())
        ;
    return frames_free();
}

static bool neighbours(const struct scene *scene, uint64_t kind)
{
    const struct list *before = &scene->before->link, *after = &scene->after->link;
    if (kind == CASE_READY || kind == CASE_QUEUED) /* whichever is in front */
        return before->next == after || after->next == before;
    if (kind == CASE_WAITING)
        return scene->before->deadline_link.next == &scene->after->deadline_link;
    return true;
}

static void clear_scene(struct scene *scene, uint64_t kind)
{
    if (kind == CASE_READY) {
        scheduler_forget(scene->before);
        scheduler_forget(scene->after);
    }
    timer_cancel(scene->before);
    timer_cancel(scene->after);
    list_remove(&scene->before->link);
    list_remove(&scene->after->link);
    scene->before->state = scene->after->state = THREAD_RECEIVING;
}

KERNEL_TEST(thread_end)
{
    struct hart *real = this_hart(), *fake = &harts[FAKE_HART];
    struct scene scene = {.process = test_process(0, 0)};
    scene.before = test_thread(scene.process, 3);
    scene.after = test_thread(scene.process, 3);
    fake->id = FAKE_HART;
    fake->stack_top = real->stack_top;
    while (workload_more(workload)) {
        uint64_t kind = workload_next(workload);
        uint32_t priority = (uint32_t)workload_next(workload);
        size_t frames = settled_frames();
        scene.thread = test_thread(scene.process, priority);
        uint32_t slot = scene.thread->slot;
        set_scene(&scene, kind, priority);
        software_interrupt();
        if (kind == CASE_ELSEWHERE)
            become_hart(fake);
        thread_end(scene.thread);
        become_hart(real);
        kprintf("ended %d %d %u %u %lu %d\n", !thread_table[slot], neighbours(&scene, kind),
                scheduler_ready_count(), ready_mask, list_length(&scene.process->threads),
                real->current == NULL);
        bool interrupted = software_interrupt();
        if (kind == CASE_ELSEWHERE && thread_table[slot]) {
            kprintf("elsewhere %d %d\n", interrupted, scene.thread->state == THREAD_DEAD);
            thread_reap(scene.thread);
        } else {
            kprintf("here %d 0\n", interrupted);
        }
        clear_scene(&scene, kind);
        kprintf("after %d %ld %u %u %lu\n", !thread_table[slot], (long)(frames - settled_frames()),
                scene.process->threads_used, scene.process->object.references,
                scene.process->cpu_ticks);
    }
}
