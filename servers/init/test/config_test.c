/* Tests the parser of services.conf and of the kernel's command line. */

#include "abi/errno.h"
#include "abi/handle.h"
#include "check.h"
#include "init/core/config.h"
#include <string.h>

static struct config config;

static int parse(const char *text)
{
    return config_parse(&config, text, strlen(text));
}

static void test_full(void)
{
    CHECK(parse("# a comment\n"
                "\n"
                "service nsd   # the names\n"
                "\trun nsd\n"
                "  namespace\n"
                "  give sys:clock proc:\n"
                "  give time:\n"
                "  priority 26\n"
                "  restart never\n"
                "service blkd\r\n"
                "  run blkd -v block:virtio:0 x\n"
                "  device block\n"
                "  device gpu maybe\n"
                "  device 18 maybe\n"
                "  optional\n"
                "  stack 64k\n"
                "  keep 5000 handles 12\n"
                "  heartbeat 750\n"
                "  quota pages=2k handles=7\n"
                "  quota threads=3 channels=4\n"
                "  restart always limit 5 backoff 250\n"
                "service fsd\n"
                "  run fsd\n"
                "  needs blkd nsd\n"
                "  serves fs:root: fs:x:\n"
                "  endpoint vfs\n"
                "  sync\n"
                "  restart always\n"
                "shell sh\n"
                "  run sh -l\n"
                "  env PATH=/bin HOME=/home\n"
                "  cwd /") == 0);
    CHECK(config.section_count == 4 && config.error_line == 0 && config.error == NULL);
    const struct config_section *nsd = config_find(&config, "nsd");
    CHECK(nsd == &config.sections[0] && nsd->namespace && !nsd->shell && !nsd->restart);
    CHECK(nsd->give_count == 3 && strcmp(nsd->gives[2], "time:") == 0 && nsd->priority == 26);
    CHECK(nsd->argc == 1 && nsd->argv[1] == NULL && !nsd->optional && !nsd->sync);
    const struct config_section *blkd = config_find(&config, "blkd");
    CHECK(blkd->argc == 4 && strcmp(blkd->argv[2], "block:virtio:0") == 0 && blkd->argv[4] == NULL);
    CHECK(blkd->device_count == 3 && blkd->devices[0].virtio_id == 2 && !blkd->devices[0].maybe);
    CHECK(blkd->devices[1].virtio_id == 16 && blkd->devices[1].maybe);
    CHECK(blkd->devices[2].virtio_id == 18 && blkd->optional && blkd->stack == 65536);
    CHECK(blkd->keep == 8192 && blkd->keep_handles == 12 && nsd->keep == 0);
    CHECK(blkd->heartbeat == 750 && nsd->heartbeat == 0);
    CHECK(blkd->quota.pages == 2048 && blkd->quota.handles == 7);
    CHECK(blkd->quota.threads == 3 && blkd->quota.channels == 4);
    CHECK(blkd->restart && blkd->restart_limit == 5 && blkd->restart_backoff == 250);
    const struct config_section *fsd = config_find(&config, "fsd");
    CHECK(fsd->need_count == 2 && fsd->endpoint == HANDLE_VFS && fsd->sync);
    CHECK(fsd->serve_count == 2 && strcmp(fsd->serves[1], "fs:x:") == 0);
    CHECK(fsd->restart && fsd->restart_limit == 0 && fsd->restart_backoff == 0);
    const struct config_section *sh = config_find(&config, "sh");
    CHECK(sh->shell && sh->env_count == 2 && strcmp(sh->env[1], "HOME=/home") == 0);
    CHECK(sh->env[2] == NULL && strcmp(sh->cwd, "/") == 0 && strcmp(sh->argv[1], "-l") == 0);
    CHECK(config_find(&config, "none") == NULL);
    CHECK(parse("") == 0 && config.section_count == 0);
}

/* Each text fails in the line given. */
static void test_errors(void)
{
    static const struct {
        unsigned line;
        const char *text;
    } cases[] = {
        {1, "run x\n"},
        {1, "service\n"},
        {1, "service a b\n run a\n"},
        {3, "service a\n run a\nservice a\n"},
        {3, "shell a\n run a\nshell b\n"},
        {3, "service a\n"},
        {2, "service a\n run\n"},
        {3, "service a\n run a\n run a\n"},
        {2, "service a\n fly\n"},
        {2, "service a\n device\n"},
        {2, "service a\n device tape\n"},
        {2, "service a\n device 0\n"},
        {2, "service a\n device 5x\n"},
        {2, "service a\n device block perhaps\n"},
        {2, "service a\n device block maybe 2\n"},
        {2, "service a\n priority 0\n"},
        {2, "service a\n priority 32\n"},
        {2, "service a\n priority -1\n"},
        {2, "service a\n priority 4294967300\n"},
        {2, "service a\n priority 18446744073709551617\n"},
        {3, "service a\n env A=1 B=1 C=1 D=1 E=1\n env F=1 G=1 H=1 I=1\n"},
        {2, "service a\n stack 2k2\n"},
        {2, "service a\n stack 4096m\n"},
        {2, "service a\n stack k\n"},
        {2, "service a\n keep 0\n"},
        {2, "service a\n keep 2048m\n"},
        {2, "service a\n keep 4k handles\n"},
        {2, "service a\n keep 4k hands 3\n"},
        {2, "service a\n keep 4k handles 5000\n"},
        {2, "service a\n heartbeat 0\n"},
        {2, "service a\n quota pages\n"},
        {2, "service a\n quota files=2\n"},
        {2, "service a\n quota pages=\n"},
        {2, "service a\n quota pages=4294967295m\n"},
        {2, "service a\n restart sometimes\n"},
        {2, "service a\n restart never limit 3\n"},
        {2, "service a\n restart always limit\n"},
        {2, "service a\n restart always limit x\n"},
        {2, "service a\n restart always patience 3\n"},
        {2, "service a\n endpoint tape\n"},
        {2, "service a\n env PATH\n"},
        {2, "service a\n env =x\n"},
        {2, "service a\n cwd / /\n"},
        {2, "service a\n optional now\n"},
        {2, "service a\n namespace x\n"},
        {2, "service a\n sync x\n"},
        {2, "service a\n run a 1 2 3 4 5 6 7 8\n"},
        {2, "service a\n run a a a a a a a a a a a a a a a a a a a a a a a a a\n"},
        {5, "service a\n run a\n needs b\n"},
        {7, "service a\n run a\n needs b\nservice b\n run b\n"},
        {6, "service a\n device block\n device rng\n device net\n device gpu\n device input\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int result = parse(cases[i].text);
        if (result != -EINVAL || config.error_line != cases[i].line || config.error == NULL)
            printf("case %zu: %d in line %u: %s\n", i, result, config.error_line, cases[i].text);
        CHECK(result == -EINVAL && config.error_line == cases[i].line && config.error != NULL);
    }
    CHECK(config_parse(&config, "service a\n run a\n\0", 18) == -EINVAL);
    CHECK(parse("service a\n run a a a a a a a a a a a a a a a a a a a a a a a\n") == -EINVAL);
    CHECK(strcmp(config.error, "too many words") == 0);
}

static void test_limits(void)
{
    static char text[CONFIG_TEXT_MAX + 1];
    size_t used = 0;

    memset(text, '\n', sizeof text);
    CHECK(config_parse(&config, text, CONFIG_TEXT_MAX - 1) == 0);
    CHECK(config_parse(&config, text, CONFIG_TEXT_MAX) == -EINVAL);
    for (int i = 0; i < CONFIG_SECTIONS_MAX; i++)
        used += (size_t)sprintf(text + used, "service s%d\nrun x\n", i);
    CHECK(config_parse(&config, text, used) == 0);
    CHECK(config.section_count == CONFIG_SECTIONS_MAX);
    used += (size_t)sprintf(text + used, "service more\nrun x\n");
    CHECK(config_parse(&config, text, used) == -EINVAL);
}

static void test_boot_options(void)
{
    struct boot_options options;
    char text[] = "  plain run=\"ls -l /\" quiet\tx=1\n";
    char quotes[] = "run=a\" \"b\"";
    char many[] = "a b c d e f g h i j";
    char empty[] = "run= run";

    boot_options_parse(&options, text);
    CHECK(options.plain && strcmp(options.run, "ls -l /") == 0);
    CHECK(options.unknown_count == 2 && strcmp(options.unknown[0], "quiet") == 0);
    CHECK(strcmp(options.unknown[1], "x=1") == 0);
    boot_options_parse(&options, quotes);
    CHECK(!options.plain && strcmp(options.run, "a b") == 0 && options.unknown_count == 0);
    boot_options_parse(&options, many);
    CHECK(options.unknown_count == 8 && strcmp(options.unknown[7], "h") == 0);
    boot_options_parse(&options, empty);
    CHECK(options.run == NULL && options.unknown_count == 2);
}

/* The file that is shipped. Host tests run from the top of the tree. */
static void test_shipped(void)
{
    static char text[CONFIG_TEXT_MAX];
    FILE *file = fopen("servers/init/services.conf", "r");
    CHECK(file != NULL);
    if (file == NULL)
        return;
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    int result = config_parse(&config, text, len);
    if (result != 0)
        printf("services.conf:%u: %s\n", config.error_line, config.error);
    CHECK(result == 0 && config.section_count > 0);
    CHECK(config.sections[config.section_count - 1].shell);
}

int main(void)
{
    test_full();
    test_errors();
    test_limits();
    test_boot_options();
    test_shipped();
    return check_report();
}
