/* What processes, threads, traps and timers ask of the parts of the kernel that later labs write:
 * messages (ipc/) and devices (dev/). Until such a part is there, these names stand for functions
 * that do nothing and return 0, or -ENOSYS (boot/kernel.ld). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct first_process_info;
struct process;
struct thread;

/* ipc/: a thread is going: takes it off channels as caller, receiver, or server. */
void channel_thread_ended(struct thread *thread);
/* A process's handles are closed: requeues or fails the callers that it had received. */
void serving_process_ended(struct process *process);
/* A process is freed: pulses its watcher and lets go of it. */
void watcher_notify(struct process *process);
/* The deadline of a waiting thread has come. */
void receive_timed_out(struct thread *thread);
/* A thread's base priority was set: what callers lend it counts again. */
void donation_base_changed(struct thread *thread);
/* Turns a system call that another process answers into a call (its registers). */
int64_t delegate(struct thread *caller, uint64_t number);
/* Offers a fault to the process's personality; false: there is none. */
bool personality_fault(struct thread *caller, uint64_t cause, uint64_t address);
/* A system call without the ordinary path: the thread to run, or NULL; see ipc/fastpath.c. */
struct thread *fastpath(struct thread *self);
/* Handles of the first process: to the channels that the kernel serves; to the bus. */
void services_give(struct process *process, struct first_process_info *info);
void bus_give(struct process *process, struct first_process_info *info);

/* dev/: external interrupts, and how often one came. */
void irq_handle(void);
int64_t irq_count(uint32_t irq);
/* A driver ended: its device is reset, its interrupt taken back. A waiting thread is going. */
void device_process_ended(struct process *process);
void device_thread_ended(struct thread *thread);
