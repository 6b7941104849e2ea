/* The services file: what init starts, in which order, and what each is given. Pure.
 *
 * One directive a line, words separated by blanks, # starts a comment. A line "service NAME" or
 * "shell NAME" opens a section, which the directives below it describe:
 *
 *   run FILE [ARG...]        the program in the boot archive, and its arguments
 *   device KIND [maybe]      gets all devices of this kind: block, rng, console, net, gpu, input,
 *                            or a virtio id. Without maybe it is only started if there is one
 *   optional                 a missing device or service that it needs is no error
 *   needs SERVICE            is only started if that one was
 *   give NAME...             channels under these names (services.c lists them)
 *   serves NAME...           the names that it registers, in case the name service is restarted
 *   namespace                this service keeps the names; all that follow get its root view
 *   endpoint vfs|network|loader|block   its channel is this well-known endpoint
 *   priority N               1..31
 *   stack SIZE               bytes; k and m are understood
 *   quota WHAT=N...          pages, handles, threads, channels
 *   restart always [limit N] [backoff MS]   |   restart never
 *   keep SIZE [handles N]    what it knows survives it: this much memory, zero at first, that each
 *                            of its processes finds under the handle SPAWN_STATE, and N places
 *                            for handles (PROC_KEEP)
 *   heartbeat MS             is killed when it has not answered init for so long
 *   sync                     keeps files: asked to write them out before the machine stops
 *   env NAME=VALUE...        environment
 *   cwd PATH                 working directory
 */
#pragma once

#include "abi/process.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_TEXT_MAX     8192
#define CONFIG_SECTIONS_MAX 24
#define CONFIG_ARGS_MAX     8 /* with the program's own name */
#define CONFIG_ENV_MAX      8
#define CONFIG_DEVICES_MAX  4
#define CONFIG_GIVES_MAX    16
#define CONFIG_NEEDS_MAX    4
#define CONFIG_SERVES_MAX   4

struct config_device {
    uint32_t virtio_id;
    bool maybe;
};

struct config_section {
    const char *name;
    bool shell;
    const char *argv[CONFIG_ARGS_MAX + 1]; /* argv[0] = the file in the archive; NULL-terminated */
    size_t argc;
    const char *env[CONFIG_ENV_MAX + 1]; /* NULL-terminated */
    size_t env_count;
    const char *cwd; /* or NULL */
    struct config_device devices[CONFIG_DEVICES_MAX];
    size_t device_count;
    const char *gives[CONFIG_GIVES_MAX];
    size_t give_count;
    const char *needs[CONFIG_NEEDS_MAX];
    size_t need_count;
    const char *serves[CONFIG_SERVES_MAX];
    size_t serve_count;
    bool optional, namespace, sync;
    uint32_t endpoint; /* 1..4, 0 = none */
    uint32_t priority; /* 0 = default */
    uint32_t stack;    /* bytes, 0 = default */
    uint32_t keep;     /* bytes, whole pages, 0 = none */
    uint32_t keep_handles;
    uint32_t heartbeat; /* ms, 0 = none */
    struct process_quota quota;
    bool restart;
    uint32_t restart_limit;   /* deaths in a row, 0 = any number */
    uint32_t restart_backoff; /* ms before the first restart; doubles */
};

struct config {
    char text[CONFIG_TEXT_MAX]; /* what all the strings point into */
    struct config_section sections[CONFIG_SECTIONS_MAX];
    size_t section_count;
    unsigned error_line; /* of the last config_parse, 0 = none */
    const char *error;
};

/* config_parse: 0, or -EINVAL with error_line and error set. A file has at most one shell. */
int config_parse(struct config *config, const char *text, size_t len);

/* config_find: the section with this name, or NULL. */
const struct config_section *config_find(const struct config *config, const char *name);

/* What the kernel's command line asks of init. Words are separated by blanks; "..." keeps blanks
 * in a value. */
struct boot_options {
    bool plain;             /* plain: programs are told to keep to plain output */
    const char *run;        /* run=COMMAND: in place of an interactive shell; or NULL */
    const char *unknown[8]; /* words that mean nothing to init */
    size_t unknown_count;
};

/* boot_options_parse: cuts up text, which the result points into. */
void boot_options_parse(struct boot_options *options, char *text);
