/* A whole server that dies behind any of its stores: its own main and operations, the kernel and
 * init played by the test. The calls of one client are served one after the other; when the server
 * has died, its successor finds what it had kept, handles that nobody got are closed, the call that
 * was not answered comes again, and the rest follows. All answers must be those of a server that
 * lived.
 *
 * To build: link mortal.c, mortal_server.c, the server's files, kept.c and request.c, with
 * -Dmain=server_main -Iuser/libcairn/test/host. */
#pragma once

#undef main

#include "cairn/server.h"
#include <stdbool.h>

#define MORTAL_CALLS  128
#define MORTAL_WINDOW 64 /* bytes that a call can lend */

#define MORTAL_OBJECTS 16
#define MORTAL_CLOSE   0x7fffffff

struct mortal_call {
    int through; /* the call whose reply has the handle that it goes to; -1: an unbadged one */
    /* handles: objects, 1..MORTAL_OBJECTS-1, the even ones memory, the odd ones channels; window 0:
     * length and access. Type MORTAL_CLOSE: no call, the handle is closed. */
    struct message m;
    const void *lends; /* what is in the window; NULL: zeros */
    bool probes;       /* a successor gets it first of all, too, whatever it answers then */
};

struct mortal_answer {
    bool given;
    struct message reply; /* handles: objects, or MORTAL_SESSION: to the server itself */
    uint8_t window[MORTAL_WINDOW];
};
#define MORTAL_SESSION 1000

/* mortal_serve: the server dies in each of the first mortal calls; the others look at what is left.
 * Prints how many deaths there were. check looks at the answers of the undisturbed run. slack: how
 * many handles more than in that run may be with init at the end. The program's status. */
int mortal_serve(const struct mortal_call *calls, unsigned count, unsigned mortal, unsigned slack,
                 bool (*check)(const struct mortal_answer *answers));

/* For the server's stand-ins: mortal_disk: bytes that outlive it. mortal_kept: whether init keeps
 * the object. mortal_window: what the call lends that is served. */
#define MORTAL_DISK 8192
uint8_t *mortal_disk(void);
bool mortal_kept(uint32_t object);
uint8_t *mortal_window(void);
