/* Fuzzes randd with messages, while its device answers, or not. */
#include "fuzz.h"
#include "proto/fs.h"
#include "proto/rand.h"
#include "serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {RAND_GET, FS_READ,  FS_WRITE, FS_OPEN, FS_STAT,
                                 FS_FSTAT, FS_POLL,  FS_SEEK,  FS_CLOSE, RAND_GET};
static const char *const names[] = {"", "x"};

static bool shape(struct fuzz_input *in, struct message *m)
{
    if (m->type != RAND_GET)
        return fuzz_file_message(in, m);
    m->words[0] = fuzz_number(in);
    m->len = 8;
    return true;
}

static void welcome(struct host_process *process)
{
    host_hold(process, host_registered("random:"), RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
}

static void event(struct fuzz_input *in)
{
    serve_entropy(fuzz_byte(in));
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
        .event = event,
    };
    if (!started) {
        started = true;
        serve_prepare();
        host_start(serve_randd);
    }
    fuzz_messages(&server, data, size);
    return 0;
}
