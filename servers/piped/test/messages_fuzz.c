/* Fuzzes piped with messages on pipes, on pipe: and on null:. */
#include "fuzz.h"
#include "proto/fs.h"
#include "proto/pipe.h"
#include "serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {
    PIPE_CREATE, FS_READ,   FS_WRITE, FS_POLL, FS_SET_FLAGS, FS_CLOSE,   FS_FSTAT, FS_STAT,
    FS_SEEK,     FS_FSYNC,  FS_READDIR, FS_FTRUNCATE, FS_UNLINK, PIPE_CREATE, FS_READ, FS_WRITE,
    FS_READ,     FS_WRITE,
};
static const char *const names[] = {"", "x", ":"};

static bool shape(struct fuzz_input *in, struct message *m)
{
    if (m->type == PIPE_CREATE && fuzz_byte(in) % 4) {
        m->len = 8;
        return true;
    }
    if (m->type == FS_POLL) {
        m->words[0] = fuzz_byte(in) & 13;
        m->words[1] = 1ul << fuzz_byte(in) % 64;
        m->len = 16;
        m->handle_count = 1;
        m->handles[0] = fuzz_byte(in) % 16;
        return true;
    }
    return fuzz_file_message(in, m);
}

static void welcome(struct host_process *process)
{
    const uint32_t rights = RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER;
    host_hold(process, host_registered("pipe:"), rights);
    host_hold(process, host_registered("null:"), rights);
    host_hold(process, host_registered("zero:"), rights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static const struct fuzz_server server = {
        .types = types,
        .type_count = sizeof types / sizeof types[0],
        .names = names,
        .name_count = sizeof names / sizeof names[0],
        .shape = shape,
        .welcome = welcome,
    };
    if (!started) {
        started = true;
        serve_prepare();
        host_start(serve_piped);
    }
    fuzz_messages(&server, data, size);
    return 0;
}
