/* What the script of grade/lab3/kernel/ipc.c works on, and what is printed of it. */
#pragma once

#include "ipc/channel.h"
#include "proc/handle.h"
#include "proc/thread.h"

#define OBJECTS 64
#define HANDLES 1024

/* Everything that the script can name, by its number. */
struct scene {
    struct {
        struct process *process;
        handle_t handles[HANDLES]; /* that it was given, in this order */
        unsigned handle_count;
        bool alive;
    } processes[OBJECTS];
    struct {
        struct thread *thread; /* NULL: ended */
        unsigned process;
        uint64_t token;  /* that it received last */
        char shown[512]; /* its state as it was printed last */
    } threads[OBJECTS];
    struct channel *channels[OBJECTS];
    struct session *sessions[OBJECTS];
    unsigned process_count, thread_count, channel_count, session_count;
};

extern struct scene scene;

/* scene_add_handle: the process was given one more. */
void scene_add_handle(unsigned process, handle_t handle);

/* scene_hash: FNV-1a. */
uint64_t scene_hash(const uint8_t *bytes, size_t n);

/* scene_print_delivery: what was delivered to `receiver`, by a call of `caller`. */
void scene_print_delivery(unsigned receiver, const struct thread *caller, bool new_token);

/* scene_print_callers: those that wait on a channel, in their order. */
void scene_print_callers(const struct channel *channel);

/* scene_print_threads: those whose state is another than when it was printed last. `fresh`: those
 * that have just come back from the kernel; of those in only_result, the registers hold no message.
 */
void scene_print_threads(uint64_t fresh, uint64_t only_result);
