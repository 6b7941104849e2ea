/* Asking the servers inside the kernel (abi/kernel_services.h), and init. */
#pragma once

#include "abi/kernel_services.h"
#include "cairn/ipc.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "proto/ns.h"
#include "utility.h"

/* kernel_call: sends *m to the service called name, and returns the result, which is word 0 of the
 * reply; -errno also if nobody has that name or the call failed. */
static inline int64_t kernel_call(const char *name, struct message *m)
{
    char rest[NS_URI_MAX];
    handle_t handle = name_resolve(name, rest);
    if (handle < 0)
        return handle;
    int error = channel_call(handle, m);
    return error < 0 ? error : (int64_t)m->words[0];
}

/* must_call: the same; an error ends the program. */
static inline int64_t must_call(const char *name, struct message *m)
{
    int64_t result = kernel_call(name, m);
    if (result < 0)
        errx(utility.trouble, "%s: %s", name, strerror((int)-result));
    return result;
}

/* next_process: the process with the smallest pid >= pid. False if there is none. */
static inline bool next_process(uint32_t pid, struct process_facts *facts)
{
    struct message m = {.type = KFACT_PROCESS, .len = 8};
    m.words[0] = pid;
    int64_t result = kernel_call("sys:facts", &m);
    if (result < 0) {
        if (result != -ESRCH)
            errx(utility.trouble, "sys:facts: %s", strerror((int)-result));
        return false;
    }
    memcpy(facts, &m.words[1], sizeof(*facts));
    facts->name[PROCESS_NAME_MAX - 1] = '\0';
    return true;
}

/* process_name: the name of a process, or "-". */
static inline const char *process_name(uint32_t pid, struct process_facts *facts)
{
    return pid != 0 && next_process(pid, facts) && facts->pid == pid ? facts->name : "-";
}

/* init_shutdown: asks init to end the system; returns only after an error. */
static inline int init_shutdown(uint64_t how)
{
    const struct spawn_block *block = start_block();
    int64_t result =
        block == NULL ? -ESRCH : call_words(block->process_service, PROC_SHUTDOWN, how, 0, 0);
    if (result < 0)
        errx(1, "init: %s", strerror((int)-result));
    return 0;
}
