/* Fuzzes consoled with messages, while the other sides of its ports type, read, and stop. */
#include "fuzz.h"
#include "proto/console.h"
#include "proto/fs.h"
#include "serve.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {
    FS_READ,        FS_WRITE,        FS_OPEN,         FS_CLOSE,      FS_STAT,      FS_FSTAT,
    FS_POLL,        FS_SEEK,         FS_FSYNC,        FS_READDIR,    FS_FTRUNCATE, CON_WRITE,
    CON_CLEAR,      CON_SET_CURSOR,  CON_GET_CURSOR,  CON_SET_COLORS, CON_GET_SIZE,
    CON_SHOW_CURSOR, CON_HIDE_CURSOR, CON_SET_MODE,   CON_GET_MODE,  CON_SET_FOREGROUND,
    FS_READ,        FS_READ,         FS_WRITE,
};
static const char *const names[] = {"", "x", "\003", "line\r\n", "\033[2J\t", "\004"};

static struct host_process *operator;
static int terminal;

static bool shape(struct fuzz_input *in, struct message *m)
{
    if (m->type < CON_WRITE)
        return fuzz_file_message(in, m);
    if (m->type == CON_WRITE) {
        struct console_write *w = (struct console_write *)m->data;
        w->length = (uint32_t)fuzz_text(in, w->text, sizeof w->text);
        m->len = (uint16_t)(offsetof(struct console_write, text) + w->length);
        return true;
    }
    m->words[0] = m->type == CON_SET_MODE ? fuzz_byte(in) & 15 : fuzz_number(in);
    m->words[1] = fuzz_number(in);
    m->len = 16;
    return true;
}

static void welcome(struct host_process *process)
{
    const uint32_t rights = RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER;
    host_hold(process, host_registered("console:"), rights);
    host_hold(process, host_registered("serial:line"), rights);
}

static void event(struct fuzz_input *in)
{
    char bytes[256];
    uint8_t kind = fuzz_byte(in);
    size_t len = fuzz_text(in, bytes, sizeof bytes);
    if (kind & 1)
        serve_type(kind >> 1 & 1, bytes, len);
    serve_stopped = kind & 4;
    if (kind & 8)
        serve_drain(bytes, sizeof bytes);
    if (kind & 16)
        serve_open(kind & 32);
}

/* Ends what still waits for input or output, and sets the terminal up again. */
static void settle(void)
{
    char bytes[256];
    struct message m = {.type = CON_SET_FOREGROUND};
    serve_stopped = false;
    serve_drain(bytes, sizeof bytes);
    host_result(operator, terminal, &m, NULL);
    m = (struct message){.type = CON_SET_MODE, .len = 8, .words = {CON_MODE_COOKED}};
    host_result(operator, terminal, &m, NULL);
    serve_open(true);
    serve_type(0, "\003", 1);
    serve_drain(bytes, sizeof bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fuzz_server server = {
        .types = types,
        .type_count = sizeof types / sizeof types[0],
        .names = names,
        .name_count = sizeof names / sizeof names[0],
        .shape = shape,
        .welcome = welcome,
        .event = event,
        .settle = settle,
        .slack = 4, /* a handle for each port and mode, made when first asked for */
    };
    if (operator == NULL) {
        serve_prepare();
        host_start(serve_consoled);
        host_idle();
        operator = host_process("operator");
        terminal = host_hold(operator, host_registered("console:"), RIGHT_SEND);
    }
    fuzz_messages(&server, data, size);
    return 0;
}
