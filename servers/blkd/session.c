/* The table of sessions, in kept memory. A badge is a number that was never used before, with the
 * table's index in its low bits.
 *
 * Invariant: a session with a badge is whole; one with object_size has its object in the place of
 * its index, so that no frame that the disk is told of goes back while blkd is away. */
#include "session.h"

#include "abi/errno.h"
#include "cairn/kept.h"
#include "cairn/server.h"
#include "cairn/syscall.h"

#define LAYOUT 1

static struct {
    struct session sessions[SESSIONS_MAX];
    struct kept_calls calls; /* value: the session's offset before */
} *kept;
static struct session *sessions; /* of kept */
static uint64_t next_unique;

static unsigned index_of(const struct session *session)
{
    return (unsigned)(session - sessions);
}

/* Of a session that another blkd left: what was that process's own. */
static void adopt(struct session *session)
{
    session->in_flight = 0;
    session->object = 0;
    if (session->object_size > 0) {
        handle_t object = kept_get(index_of(session));
        session->object = object < 0 ? 0 : object;
        session->object_size = object < 0 ? 0 : session->object_size;
    } else {
        kept_drop(index_of(session)); /* perhaps there was no time for it */
    }
    if (!session->made || session->closed) {
        session_drop_object(session);
        session->badge = 0;
    }
}

bool sessions_init(uint64_t unique)
{
    bool adopted;
    next_unique = unique + 1;
    kept = kept_state(LAYOUT, sizeof *kept, &adopted);
    if (!kept)
        return false;
    sessions = kept->sessions;
    for (unsigned i = 0; i < SESSIONS_MAX; i++)
        if (sessions[i].badge != 0)
            adopt(&sessions[i]);
    return true;
}

void session_begin(struct session *session, const struct request *request)
{
    const uint64_t *before = kept_noted(&kept->calls, request->token);
    if (before)
        session->offset = *before;
    kept_note(&kept->calls, request->token, session->offset);
}

struct session *session_new(enum session_kind kind, uint32_t client, int *error)
{
    struct session *free_one = NULL;
    unsigned of_client = 0;
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].badge == 0)
            free_one = free_one ? free_one : &sessions[i];
        else
            of_client += sessions[i].client == client;
    }
    *error = of_client >= SESSIONS_PER_CLIENT ? -EMFILE : free_one ? 0 : -ENFILE;
    if (*error)
        return NULL;
    uint64_t badge = next_unique++ * SESSIONS_MAX + (uint64_t)(free_one - sessions);
    *free_one = (struct session){.kind = kind, .client = client};
    kept_barrier();
    free_one->badge = badge;
    return free_one;
}

struct session *session_find(uint64_t badge)
{
    struct session *session = &sessions[badge % SESSIONS_MAX];
    return badge != 0 && session->badge == badge && !session->closed ? session : NULL;
}

void session_drop_object(struct session *session)
{
    session->object_size = 0;
    kept_barrier();
    if (session->object) {
        handle_close(session->object);
        kept_drop(index_of(session));
    }
    session->object = 0;
}

int session_take_object(struct session *session, handle_t object, uint64_t size, uint64_t physical,
                        bool writable)
{
    session_drop_object(session);
    int error = kept_put(index_of(session), object);
    if (error)
        return error;
    session->object = object;
    session->object_physical = physical;
    session->object_writable = writable;
    kept_barrier();
    session->object_size = size;
    return 0;
}

static void free_if_over(struct session *session)
{
    if (!session->closed || session->in_flight > 0)
        return;
    session_drop_object(session);
    session->badge = 0;
}

void session_close(uint64_t badge)
{
    struct session *session = session_find(badge);
    if (!session)
        return;
    session->closed = true;
    free_if_over(session);
}

void session_done(struct session *session)
{
    session->in_flight--;
    free_if_over(session);
}
