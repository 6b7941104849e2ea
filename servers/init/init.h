/* What the files of init share: its one channel, the badges on it, and the log. */
#pragma once

#include "abi/kernel_services.h"
#include "abi/memory.h"
#include "cairn/server.h"
#include "cairn/syscall.h"
#include "core/config.h"
#include "core/processes.h"

/* The badges of init's channel: a class in the top byte, and a number below. */
enum badge_class {
    BADGE_PROCESS = 0, /* a process's own sys:process; number = pid */
    BADGE_ROOT = 1,    /* a name that init serves; number = enum init_root */
    BADGE_SPAWN = 2,   /* a spawn session; number = its serial */
    BADGE_JOB = 3,     /* a signal-only handle; number = job */
    BADGE_TEXT = 4,    /* an open text file or directory of facts.c */
};
#define BADGE(class, number) ((uint64_t)(class) << 56 | (uint64_t)(number))
#define BADGE_CLASS(badge)   ((unsigned)((badge) >> 56))
#define BADGE_NUMBER(badge)  ((badge)&0xfffffffffffffful)

enum init_root { ROOT_PROC = 1, ROOT_TIME, ROOT_BOOT, ROOT_SYS, ROOT_PROCESS };

struct init_state {
    const struct first_process_info *info;
    const uint8_t *archive; /* mapped; info->archive_size bytes */
    struct server server;   /* server.channel: the one channel that init serves */
    struct config config;
    struct boot_options options;
    struct process_table table;
};
extern struct init_state init;

/* init_log: a line for the kernel log, with "init: " in front and the newline behind it. */
void init_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* init_fail: says why and powers the machine off with status 1. */
void init_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* init_tick_at: makes sure that the server loop calls tick by then (ns since boot). */
void init_tick_at(uint64_t deadline);

/* populate_own_memory: gives every page of init's data and stack a frame; once, at the start. */
void populate_own_memory(void);
