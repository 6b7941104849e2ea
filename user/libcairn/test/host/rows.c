/* Sends tables of messages and looks at what becomes of them. */
#include "rows.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRNO_LAST 4095

static unsigned passed, failed;

void check(bool condition, const char *file, int line, const char *format, ...)
{
    if (condition) {
        passed++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    failed++;
}

int check_end(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}

void check_kept(const struct host_count *before, const char *what)
{
    struct host_count after = host_count();
    check(after.handles == before->handles, __FILE__, __LINE__, "%s: %u handles, %u before", what,
          after.handles, before->handles);
    check(after.sessions == before->sessions, __FILE__, __LINE__, "%s: %u sessions, %u before",
          what, after.sessions, before->sessions);
    check(after.mappings == before->mappings, __FILE__, __LINE__, "%s: %u mappings, %u before",
          what, after.mappings, before->mappings);
}

/* Sends, closes what came back, and lets the server hear of it. */
static int64_t send(struct host_process *process, int handle, struct message *m,
                    const struct host_window *windows)
{
    int64_t result = host_result(process, handle, m, windows);
    for (unsigned i = 0; i < m->handle_count; i++)
        host_close(process, m->handles[i]);
    host_idle();
    return result;
}

static void run_row(struct host_process *process, int handle, int gift, const struct row *row)
{
    struct host_window windows[MESSAGE_WINDOWS_MAX];
    struct message m = {.type = row->type, .len = (uint16_t)row->len};
    memcpy(m.words, row->words, sizeof row->words);
    if (row->text != NULL)
        memcpy(m.data + row->text_at, row->text, row->text_len ? row->text_len : strlen(row->text));
    m.handle_count = (uint8_t)row->handles;
    for (unsigned i = 0; i < row->handles; i++)
        m.handles[i] = gift;
    m.window_count = (uint8_t)row->windows;
    for (unsigned i = 0; i < row->windows; i++)
        windows[i] = (struct host_window){.bytes = calloc(1, row->window[i].mapped + 1),
                                          .mapped = row->window[i].mapped,
                                          .length = row->window[i].length,
                                          .access = row->window[i].access};
    struct host_count before = host_count();
    int64_t result = send(process, handle, &m, windows);
    check(result == row->expected, __FILE__, __LINE__, "%s: %ld, not %ld", row->what, (long)result,
          (long)row->expected);
    check_kept(&before, row->what);
    for (unsigned i = 0; i < row->windows; i++)
        free(windows[i].bytes);
}

void rows_run(struct host_process *process, int handle, int gift, const struct row *rows,
              size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_row(process, handle, gift, &rows[i]);
}

/* One shape of a message: what its words hold, and what comes with it. */
struct shape {
    uint8_t fill;
    unsigned windows, handles;
    uint64_t length, access;
    size_t mapped;
};

static const struct shape shapes[] = {
    {0, 0, 0, 0, 0, 0},
    {0xff, 0, 0, 0, 0, 0},
    {0x01, 0, 4, 0, 0, 0},
    {0x7f, 2, 1, 64, WINDOW_READ | WINDOW_WRITE, 64},
    {0, 1, 0, 0, WINDOW_READ, 0},
    {0x01, 2, 0, USER_TOP - USER_BASE, WINDOW_READ | WINDOW_WRITE, 100},
    {0x10, 1, 2, 5000, WINDOW_WRITE, 0},
    {0x00, 1, 3, 5000, WINDOW_READ, 5000},
};

static void sweep_type(struct host_process *process, int handle, int gift, uint32_t type,
                       void (*after)(void))
{
    static uint8_t lent[2][8192];
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        const struct shape *shape = &shapes[s];
        struct host_window windows[2];
        memset(lent, shape->fill, sizeof lent);
        for (unsigned i = 0; i < 2; i++)
            windows[i] = (struct host_window){.bytes = lent[i],
                                              .mapped = shape->mapped,
                                              .length = shape->length,
                                              .access = shape->access};
        for (unsigned len = 0; len <= MESSAGE_DATA_MAX; len += len < 32 ? 4 : 28) {
            struct message m = {.type = type,
                                .len = (uint16_t)len,
                                .handle_count = (uint8_t)shape->handles,
                                .window_count = (uint8_t)shape->windows,
                                .handles = {gift, gift, gift, gift}};
            memset(m.data, shape->fill, sizeof m.data);
            int64_t result = send(process, handle, &m, windows);
            check(result >= -ERRNO_LAST || result == HOST_WOULD_WAIT, __FILE__, __LINE__,
                  "type %#x, length %u, shape %zu: %ld", type, len, s, (long)result);
            if (after)
                after();
        }
    }
}

void rows_sweep(struct host_process *process, int handle, int gift, uint32_t types,
                const uint32_t *more, size_t more_count, void (*after)(void))
{
    struct host_count before = host_count();
    sweep_type(process, handle, gift, 0x7fffffff, after);
    sweep_type(process, handle, gift, MESSAGE_CLOSED, after);
    sweep_type(process, handle, gift, MESSAGE_PULSE, after);
    for (size_t i = 0; i < more_count; i++)
        sweep_type(process, handle, gift, more[i], after);
    for (uint32_t type = types; type-- > 0;) /* FS_CLOSE, after which all else fails, near the end */
        sweep_type(process, handle, gift, type, after);
    check_kept(&before, "sweep");
}
