/* Tables of malformed messages, and sweeps of them: what a test of a server's messages is made of. */
#pragma once

#include "host.h"

struct row {
    const char *what;
    int64_t expected; /* word 0 of the reply */
    uint32_t type;
    unsigned len;
    uint64_t words[8];
    const char *text; /* laid over the words at byte text_at; text_len 0: all of it */
    unsigned text_at, text_len;
    unsigned windows, handles;
    struct {
        uint64_t length, access;
        size_t mapped;
    } window[MESSAGE_WINDOWS_MAX];
};

/* The head of a struct fs_path_request, as words of a row. */
#define PATH_WORDS(flags, mode, path_len) {(flags) | (uint64_t)(mode) << 32, 0, path_len}
#define PATH_AT 24

/* rows_run: sends each row through the client's handle and checks the answer, and that the server
 * holds as many handles and sessions afterwards as before (handles of replies are closed). Where a
 * row carries handles, they are copies of gift. */
void rows_run(struct host_process *process, int handle, int gift, const struct row *rows,
              size_t count);
#define ROWS_RUN(process, handle, gift, rows) \
    rows_run(process, handle, gift, rows, sizeof(rows) / sizeof((rows)[0]))

/* rows_sweep: every type below types and each of more, at every length, with empty and with full
 * words, with and without windows and handles. The answers may be anything but strange; the server
 * must hold no more than before. after, if not NULL, puts the session right again. */
void rows_sweep(struct host_process *process, int handle, int gift, uint32_t types,
                const uint32_t *more, size_t more_count, void (*after)(void));

/* Checks and their count. */
void check(bool condition, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define CHECK(condition) check(condition, __FILE__, __LINE__, "%s", #condition)
#define CHECK_IS(value, wanted)                                                            \
    do {                                                                                   \
        int64_t is_ = (int64_t)(value), wanted_ = (int64_t)(wanted);                        \
        check(is_ == wanted_, __FILE__, __LINE__, "%s is %ld, not %ld", #value, (long)is_, \
              (long)wanted_);                                                              \
    } while (0)
int check_end(void); /* prints the counts; the program's status */

/* check_kept: the server holds what it held at *before, no more and no less. */
void check_kept(const struct host_count *before, const char *what);
