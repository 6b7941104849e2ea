/* What a server knows and its successor must know, too: "keep SIZE [handles N]" in services.conf.
 *
 * The memory is the same for all processes of a service. A process can end between any two of its
 * instructions, and then the next one finds what was stored up to there. So a change becomes valid
 * by one store of one word, behind which and before which kept_barrier stands; until then nothing
 * that is valid refers to it. Nothing in there is a pointer.
 *
 * A call that was received and not answered comes again, flagged MESSAGE_RESENT and with the same
 * token. If its effect is there already, it must not be had twice: a change that is not the same
 * when made twice is stored together with the token of the call that made it. A token is never 0. */
#pragma once

#include "abi/process.h"
#include "cairn/ipc.h"
#include <stdbool.h>

/* kept_state: size bytes, 8-byte aligned: what the process before left (*adopted), or zeros.
 * layout: any number; what was left under another one is not adopted. NULL: no memory. A server
 * that is not kept anything (host tests, one that was started by hand) gets zeros. */
void *kept_state(uint32_t layout, size_t size, bool *adopted);

/* kept_reset: what was adopted makes no sense: zeros instead. */
void kept_reset(void);

/* kept_barrier: stores before it are made before those behind it. One thread's stores are not
 * reordered for the thread that looks at them after its end, so the compiler alone has to be told.
 */
static inline void kept_barrier(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* What was done for the last call of each thread, in kept memory: one a thread, since a thread has
 * one call at a time, and makes the next only when it knows how the last one ended. kept_note: for
 * the call with this token, value says what its effect was or is about to be. kept_noted: that
 * value, NULL if nothing was noted for this call. */
struct kept_calls {
    struct {
        uint64_t call, value; /* call 0: none */
    } of[THREADS_MAX];
};
void kept_note(struct kept_calls *calls, uint64_t token, uint64_t value);
const uint64_t *kept_noted(const struct kept_calls *calls, uint64_t token);

/* Handles, by place (0..N-1). kept_put: keeps a copy (it needs TRANSFER) instead of what was there;
 * kept_get: a new handle to what is kept, -ENOENT. kept_drop: empties the place. */
int kept_put(unsigned place, handle_t handle);
handle_t kept_get(unsigned place);
void kept_drop(unsigned place);
