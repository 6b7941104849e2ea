/* The table of open files. */
#include "session.h"
#include <errno.h>

static struct session *sessions;

void session_table(struct session *table) { sessions = table; }

const struct session *session_at(size_t index) { return &sessions[index]; }

struct session *session_open(uint32_t client, int *error)
{
    struct session *free = NULL;
    unsigned own = 0;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].used)
            own += sessions[i].client == client;
        else if (!free)
            free = &sessions[i];
    }
    *error = own >= SESSIONS_PER_CLIENT ? -EMFILE : free ? 0 : -ENFILE;
    if (*error)
        return NULL;
    *free = (struct session){.generation = free->generation + 1, .client = client};
    return free;
}

void session_close(struct session *session) { session->used = false; }

uint64_t session_badge(const struct session *session)
{
    return (uint64_t)session->generation << 32 | (uint64_t)(session - sessions + 1);
}

struct session *session_find(uint64_t badge)
{
    uint64_t index = (uint32_t)badge - 1ul;
    if (index >= SESSIONS_MAX || !sessions[index].used || session_badge(&sessions[index]) != badge)
        return NULL;
    return &sessions[index];
}
