/* Keeps memory and handles for services, so that they outlive the processes. */

#include "keeper.h"
#include "services.h"

#define KEPT_MAX 2048 /* handles for all services: half of what init's table holds */

static handle_t pool[KEPT_MAX];
static size_t pool_used;

int keeper_prepare(struct service *service)
{
    const struct config_section *section = service->section;

    if (section->keep == 0)
        return 0;
    if (service->kept == NULL) {
        if (section->keep_handles > KEPT_MAX - pool_used)
            return -ENFILE;
        service->kept = &pool[pool_used];
        pool_used += section->keep_handles;
    }
    if (service->state != 0)
        return 0;
    int64_t state = memory_create(section->keep, 0);
    if (state < 0)
        return (int)state;
    service->state = (handle_t)state;
    return 0;
}

static void drop(handle_t *handle)
{
    if (*handle != 0)
        handle_close(*handle);
    *handle = 0;
}

void keeper_forget(struct service *service)
{
    drop(&service->state);
    for (uint32_t i = 0; service->kept != NULL && i < service->section->keep_handles; i++)
        drop(&service->kept[i]);
}

/* The place that a request is about, or NULL and *error. */
static handle_t *place(const struct request *request, const struct process *caller, int *error)
{
    struct service *service = service_find(caller->pid);
    uint64_t slot = request->message->words[0];

    *error = service == NULL || service->kept == NULL       ? -EPERM
             : slot >= service->section->keep_handles ? -EINVAL
                                                      : 0;
    return *error ? NULL : &service->kept[slot];
}

int64_t keep_request(struct request *request, struct process *caller)
{
    int error;
    struct message *m = request->message;
    handle_t *kept = place(request, caller, &error);

    if (kept == NULL)
        return error;
    if (m->handle_count > 1 || (m->handle_count == 1 && m->handles[0] < 0))
        return -EINVAL;
    drop(kept);
    if (m->handle_count == 1)
        *kept = m->handles[0];
    m->handle_count = 0; /* it is ours now */
    return 0;
}

int64_t kept_request(struct request *request, struct process *caller)
{
    int error;
    handle_t *kept = place(request, caller, &error);

    if (kept == NULL)
        return error;
    if (*kept == 0)
        return -ENOENT;
    int64_t copy = handle_dup(*kept, RIGHTS_ALL);
    if (copy < 0)
        return copy;
    request->reply->handles[0] = (handle_t)copy;
    request->reply->handle_count = 1;
    return 0;
}
