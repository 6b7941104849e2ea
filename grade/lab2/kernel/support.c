/* Processes, threads and harts for the tests: see support.h. */
#include "support.h"

struct process *test_process(uint32_t pages, uint32_t threads)
{
    static bool first_done;
    struct process_quota quota = {.pages = pages, .threads = threads};
    if (!first_done)
        process_new("first", NULL, NULL);
    first_done = true;
    struct process *process = process_new("test", NULL, &quota);
    if (!process)
        panic("the test gets no process");
    object_retain(&process->object);
    process->started = true;
    return process;
}

struct thread *test_thread(struct process *process, uint32_t priority)
{
    struct thread *thread = thread_new(process, priority);
    if (!thread)
        panic("the test gets no thread");
    thread->state = THREAD_RECEIVING;
    thread->hart = this_hart();
    return thread;
}

__attribute__((noinline)) void become_hart(struct hart *hart)
{
    asm volatile("mv tp, %0" ::"r"(hart) : "memory");
}

bool software_interrupt(void)
{
    bool came = false;
    for (int i = 0; i < 1000 && !came; i++) /* it takes its way through the firmware */
        came = csr_read(sip) & SIE_SOFTWARE;
    csr_clear(sip, SIE_SOFTWARE);
    return came;
}
