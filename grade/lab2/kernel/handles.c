/* The handle table: what handle_insert and handle_find say to a list of operations. */
#include "support.h"

enum { OP_NEW, OP_INSERT, OP_FIND, OP_FIND_VALUE, OP_CLOSE, OP_PAGES };
#define OBJECTS 16
#define RESULTS 8192

static const struct object_class counted = {.type = OBJECT_MEMORY};
static struct object objects[OBJECTS];
static handle_t results[RESULTS];

static void find(struct process *process, handle_t handle, uint32_t rights)
{
    int64_t error = 0;
    struct handle_entry *entry = handle_find(process, handle, rights, &error);
    if (entry)
        kprintf("found %ld %u\n", (long)(entry->object - objects), entry->rights);
    else
        kprintf("error %ld\n", error);
}

/* Each operation is a word, followed by its arguments. */
KERNEL_TEST(handles)
{
    struct process *process = NULL;
    size_t count = 0;
    for (size_t i = 0; i < OBJECTS; i++) {
        object_init(&objects[i], &counted);
        objects[i].references = 1000000;
    }
    while (workload_more(workload)) {
        uint64_t op = workload_next(workload), a = workload_next(workload);
        uint64_t b = workload_next(workload);
        switch (op) {
        case OP_NEW: /* a = limit, b = hint */
            process = test_process(0, 0);
            process->handles.limit = (uint32_t)a;
            process->handles.hint = (uint32_t)b;
            count = 0;
            break;
        case OP_INSERT: /* a = object, b = rights */
            results[count] = handle_insert(process, &objects[a], (uint32_t)b);
            kprintf("inserted %d %u %u\n", results[count++], objects[a].references,
                    process->handles.used);
            break;
        case OP_FIND: /* a = which result | changed bits << 16, b = rights */
            find(process, results[a & 0xffff] ^ (handle_t)(a >> 16), (uint32_t)b);
            break;
        case OP_FIND_VALUE:
            find(process, (handle_t)a, (uint32_t)b);
            break;
        case OP_CLOSE: /* a = which result */
            kprintf("closed %ld\n", (long)handle_drop(process, results[a]));
            break;
        case OP_PAGES: /* a = how many more pages it may have */
            process->account->limit.pages = process->account->pages + (uint32_t)a;
            break;
        }
    }
}
