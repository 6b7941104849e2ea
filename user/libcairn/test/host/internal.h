/* What the files of the stand-in share. */
#pragma once

#include "host.h"

struct host_object {
    uint32_t type; /* enum object_type */
    unsigned refs;
    uint64_t id;
    /* channel */
    uint64_t pulses;
    bool dead;
    host_serve *serve;
    void *context;
    /* session */
    struct host_object *channel;
    uint64_t badge;
    /* memory */
    uint8_t *bytes;
    uint64_t size, populated;
    uint32_t flags;
    /* process */
    struct host_process *process;
};

struct host_entry {
    struct host_object *object;
    uint32_t rights;
    uint32_t generation; /* of the server's handles */
};

/* A mapping that the server made in another process: memory is kept by it. */
struct host_mapping {
    uint64_t address, length;
    struct host_object *memory;
};
#define PROCESS_MAPPINGS 16

struct host_process {
    struct host_object object; /* first */
    uint32_t pid;
    bool started, ended;
    struct process_status status;
    struct host_object *watcher;
    uint32_t watch_bit;
    char name[PROCESS_NAME_MAX];
    struct host_entry refs[HOST_REFS_MAX];
    struct host_mapping mappings[PROCESS_MAPPINGS];
    struct host_process *next;
};

/* objects.c */
struct host_object *object_new(uint32_t type);
struct host_object *object_retain(struct host_object *object);
void object_release(struct host_object *object);
extern unsigned host_sessions;

/* handles.c: the server's table. entry_find: NULL with -EBADF (a bug unless the value is an error
 * number) or -EACCES in *error. */
handle_t entry_insert(struct host_object *object, uint32_t rights);
struct host_entry *entry_find(handle_t handle, uint32_t rights, int64_t *error);
void entry_drop(handle_t handle);
bool entry_room(unsigned count);
bool host_fails(void); /* should this allocation fail? */

/* memory.c */
extern unsigned host_mappings;
void mappings_release(struct host_process *process);

/* process.c */
void process_free(struct host_process *process);
void process_init_refs(struct host_process *process);
int ref_insert(struct host_process *process, struct host_object *object, uint32_t rights);

/* messages.c */
void closed_push(struct host_object *channel, uint64_t badge);
void calls_cancel(struct host_process *process);

/* run.c */
extern struct server *host_server; /* NULL before it serves */
struct host_object *host_service(void);
void host_turn(void); /* the server runs until it has nothing to do */
