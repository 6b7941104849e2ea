/* Fuzz target: the input is a list of changes (damage_apply) to the journal's superblock and log,
 * where a crash has left several transactions with revocations in them. */
#include "../format.h"
#include "check.h"
#include "damage.h"
#include "image.h"
#include "paths.h"
#include <stdlib.h>
#include <string.h>

#define LOG_BYTES 65536u /* of the journal that inputs change */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct image base;
static size_t log_start;

static void make_base(void)
{
    static const uint8_t bytes[3000];
    char name[64];
    image_make(&base, "-b 1024 -N 64 -j -J size=1", 1500);
    struct ext2 *fs = image_mount(&base, 200);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "/d%d", i % 2);
        path_mkdir(fs, name);
        path_write(fs, "/f", (uint64_t)i * 20000, bytes, sizeof bytes);
        path_rmdir(fs, name);
        ext2_sync(fs);
    }
    base.cut = base.writes;
    ext2_unmount(fs);
    const struct superblock *super = (struct superblock *)(base.bytes + EXT2_SUPER_OFFSET);
    log_start = super->journal_blocks[0] * 1024;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!base.bytes)
        make_base();
    uint8_t *image = malloc(base.size);
    memcpy(image, base.bytes, base.size);
    damage_apply(image + log_start, LOG_BYTES, data, size);
    damage_work(image, base.size);
    free(image);
    return 0;
}
