/* A stand-in for the kernel, so that a whole server runs in a host program: its own main, its own
 * table of operations, libcairn's own server loop.
 *
 * The server is the only process that really runs. Clients are records that hold handles; what
 * they send is delivered at once, and host_send returns when the server waits again. Checked on
 * the way, each a reason to abort with a message:
 *   - a handle closed twice, or used after it was closed, or forged;
 *   - bytes of a message read behind its length, handles and windows that did not come;
 *   - a reply that carries bytes of the server's stack that nobody wrote;
 *   - an unmap of what is not mapped, a call to another server that nobody would answer.
 * Leaks show in host_count, which a test compares with what it was before.
 *
 * To build: link host's files, the server's, and -Dmain=server_main -Wl,--wrap=server_run. */
#pragma once

#undef main

#include "abi/memory.h"
#include "abi/process.h"
#include "cairn/ipc.h"
#include "cairn/server.h"
#include "cairn/syscall.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* host_bug: what the server did cannot be right. */
_Noreturn void host_bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Starting --------------------------------------------------------------------------------- */

/* host_run: calls server_main; when the server begins to serve, test runs; when test returns, the
 * rest of server_main runs. */
void host_run(void (*server_main)(void), void (*test)(void));

/* host_start: the same, but returns once the server serves; server_main is never finished. For
 * fuzzing, where each input finds the server as the one before left it. */
void host_start(void (*server_main)(void));

/* Before the start: what the server's spawn block holds. Ids as in proto/process.h. */
struct host_object;
handle_t host_give(uint32_t id, struct host_object *object, uint32_t rights, const char *name);
void host_give_service(void); /* the channel that it is to serve */

/* ---- Objects ---------------------------------------------------------------------------------- */

/* A channel that the test serves, for calls that the server makes: serve changes *m to the reply
 * and returns 0 or -errno (what the call gives). serve NULL: nobody ever answers; it can be
 * pulsed. The caller holds one reference. */
typedef int host_serve(void *context, struct message *m);
struct host_object *host_channel(host_serve *serve, void *context);
uint64_t host_pulses(struct host_object *channel); /* received; clears them */
void host_channel_dead(struct host_object *channel); /* nobody will ever receive on it */

/* A memory object of whole pages, and its bytes. populated: bytes behind which frames stand. */
struct host_object *host_memory(uint64_t size, uint32_t flags, uint64_t populated);
uint8_t *host_memory_bytes(struct host_object *memory);
uint64_t host_memory_size(const struct host_object *memory);

/* host_mapped: the n-th object that the server has mapped, or NULL. */
struct host_object *host_mapped(unsigned n);

struct host_object *host_device(void); /* an inert one; see device.h */
void host_release(struct host_object *object);

/* host_name: a name that the server finds with name_wait; rest is what is left of it.
 * host_registered: what the server registered under a name, or NULL. */
void host_name(const char *uri, struct host_object *channel);
struct host_object *host_registered(const char *prefix);

/* ---- Clients ---------------------------------------------------------------------------------- */

#define HOST_REFS_MAX 256

/* Clients are processes; the server may have made them. A handle of a client is an index. */
struct host_process;
struct host_process *host_process(const char *name);
uint32_t host_pid(const struct host_process *process);
bool host_alive(const struct host_process *process);
bool host_started(const struct host_process *process); /* made by the server, and run */

/* host_exit: its handles are closed, its calls are cancelled, who watches is told. */
void host_exit(struct host_process *process, unsigned reason, int64_t value);

/* host_process_of: the living process with this pid, or NULL. Processes that ended and that
 * nobody refers to disappear. host_process_next: the one with the smallest pid from there on. */
struct host_process *host_process_of(uint32_t pid);
struct host_process *host_process_next(uint32_t pid);
const char *host_process_name(const struct host_process *process);

/* host_keep: another reference to it, to be given back with host_leave. */
struct host_process *host_keep(struct host_process *process);
void host_leave(struct host_process *process);

/* host_root: gives the client an unbadged send handle to the server. host_hold: any handle to an
 * object. host_handle: the n-th from 0 that the client holds, or -1. host_close: closes it. */
int host_root(struct host_process *process);
int host_hold(struct host_process *process, struct host_object *object, uint32_t rights);
int host_handle(const struct host_process *process, unsigned n);
struct host_object *host_object(const struct host_process *process, int handle);
void host_close(struct host_process *process, int handle);
uint64_t host_badge(const struct host_process *process, int handle); /* 0: none */

/* ---- Calls ------------------------------------------------------------------------------------ */

/* Memory of a client, lent for a call: mapped bytes are there (a block of exactly that size), the
 * rest up to length is not. restless: it changes after every look at it. */
struct host_window {
    uint8_t *bytes;
    size_t mapped;
    uint64_t length, access;
    bool restless;
};

enum host_state { HOST_FREE, HOST_QUEUED, HOST_WAITING, HOST_ANSWERED, HOST_FAILED, HOST_CANCELLED };

struct host_call {
    enum host_state state;
    int error; /* HOST_FAILED: what channel_call returned */
    struct host_process *process;
    uint64_t token;
    struct message reply; /* handles: the client's */
    struct host_window windows[MESSAGE_WINDOWS_MAX];
    unsigned window_count;
};

/* host_send: calls through a client's handle; m->handles are handles of the client. The windows
 * are copied; their bytes must live as long as the call. NULL: too many calls are under way. */
struct host_call *host_send(struct host_process *process, int handle, const struct message *m,
                            const struct host_window *windows);
void host_cancel(struct host_call *call); /* the caller gives up */

/* host_done: forgets an answered, failed or cancelled call; handles of the reply stay open. */
void host_done(struct host_call *call);

/* host_result: sends, and returns word 0 of the reply (error if there was none), with the reply
 * in *m. A call that would wait is cancelled: HOST_WOULD_WAIT. */
#define HOST_WOULD_WAIT INT64_MIN
int64_t host_result(struct host_process *process, int handle, struct message *m,
                    const struct host_window *windows);

/* host_idle: lets the server take pulses and closed sessions, and its tick. */
void host_idle(void);
void host_advance(uint64_t nanoseconds);
uint64_t host_time(void); /* as the server sees it, without making it pass */
void host_pulse(uint64_t bits); /* pulses the server's channel */

/* ---- Accounts --------------------------------------------------------------------------------- */

struct host_count {
    unsigned handles;  /* in the server's table */
    unsigned sessions; /* that exist, whoever holds them */
    unsigned mappings; /* in the server's address space */
    size_t heap;       /* bytes allocated in all */
};
struct host_count host_count(void);

/* host_handle_limit: the server's table takes no more than this. host_fail: the n-th system call
 * from now that allocates fails; 0 = none. True if one did since the last host_fail. */
void host_handle_limit(unsigned limit);
bool host_fail(unsigned n);
