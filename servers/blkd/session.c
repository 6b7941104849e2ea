/* The table of sessions. A badge is a number that was never used before, with the table's index in
 * its low bits. */
#include "session.h"

#include "abi/errno.h"
#include "cairn/syscall.h"

static struct session sessions[SESSIONS_MAX];
static uint64_t next_unique;

void sessions_init(uint64_t unique)
{
    next_unique = unique + 1;
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
    *free_one = (struct session){.badge = badge, .kind = kind, .client = client};
    return free_one;
}

struct session *session_find(uint64_t badge)
{
    struct session *session = &sessions[badge % SESSIONS_MAX];
    return badge != 0 && session->badge == badge && !session->closed ? session : NULL;
}

void session_drop_object(struct session *session)
{
    if (session->object)
        handle_close(session->object);
    session->object = 0;
    session->object_size = session->object_physical = 0;
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
