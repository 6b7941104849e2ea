/* Fuzzes blkd with messages, on disks that answer when the input says so. */
#include "fuzz.h"
#include "proto/blk.h"
#include "proto/fs.h"
#include "serve.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {
    BLK_CHANNEL, BLK_READ,  BLK_WRITE, BLK_FLUSH,  BLK_INFO, BLK_ATTACH, FS_STAT,
    FS_FSTAT,    FS_FSYNC,  FS_OPEN,   FS_READDIR, FS_MKDIR, FS_RMDIR,   FS_UNLINK,
    FS_POLL,     FS_RENAME, FS_FTRUNCATE, BLK_CHANNEL, BLK_READ, BLK_WRITE, FS_OPEN,
};
static const char *const names[] = {"0", "1", "", "2", "00"};

/* Of one number, the file protocol's and the block protocol's messages. */
static bool shape(struct fuzz_input *in, struct message *m)
{
    if (m->type == BLK_CHANNEL) {
        struct fs_path_request *r = (struct fs_path_request *)m->data;
        r->path_len = (uint32_t)fuzz_text(in, r->path, sizeof r->path);
        m->len = (uint16_t)(offsetof(struct fs_path_request, path) + r->path_len);
        return true;
    }
    if (m->type > BLK_ATTACH || fuzz_byte(in) % 2)
        return fuzz_file_message(in, m);
    struct blk_request *r = (struct blk_request *)m->data;
    uint8_t kind = fuzz_byte(in);
    r->sector = kind & 1 ? fuzz_number(in) : fuzz_byte(in) * 2u;
    r->count = kind & 2 ? (uint32_t)fuzz_number(in) : fuzz_byte(in) % 16u;
    r->flags = kind & 4 ? BLK_WINDOW : (uint32_t)(kind >> 6);
    r->offset = kind & 8 ? fuzz_number(in) : fuzz_byte(in) % 16u * 512u;
    m->len = sizeof *r;
    return true;
}

static void welcome(struct host_process *process)
{
    host_hold(process, host_registered("block:virtio"), RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
}

static void event(struct fuzz_input *in)
{
    uint8_t kind = fuzz_byte(in);
    for (unsigned i = 0; i < kind % 8u; i++)
        serve_step(!(kind & 64));
    serve_at_once = kind & 128;
    host_idle();
}

static void settle(void)
{
    while (serve_step(true))
        host_idle();
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
        .settle = settle,
    };
    if (!started) {
        started = true;
        serve_prepare();
        host_start(serve_blkd);
    }
    serve_at_once = false;
    fuzz_messages(&server, data, size);
    return 0;
}
