/* What the kernel would give init, and what it would answer. */
#include "serve.h"
#include "../../../user/libcairn/spawn_block.h"
#include "abi/device.h"
#include "abi/kernel_services.h"
#include "cairn/spawn.h"
#include "init/init.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ARCHIVE_MAX 32768
#define IMAGE_SIZE  8192

int server_main(void);

void (*serve_power)(uint64_t status);

static const char services[] = "service names\n"
                               "    run prog\n"
                               "    namespace\n"
                               "    device block maybe\n"
                               "    give sys:console sys:facts sys:stats sys:clock sys:process sys:"
                               " proc: time: boot:\n"
                               "    restart always limit 2 backoff 10\n"
                               "shell sh\n"
                               "    run prog -i\n"
                               "    env HOME=/\n";

/* In the order of "give" above. */
static const char *const given[] = {"sys:console", "sys:facts", "sys:stats", "sys:clock",
                                    "sys:process", "sys:",      "proc:",     "time:",
                                    "boot:"};
static struct host_object *given_objects[sizeof given / sizeof given[0]];

static struct first_process_info info = {
    .magic = FIRST_PROCESS_MAGIC,
    .command_line = "plain nonsense",
};

/* ---- The executable and the archive ----------------------------------------------------------- */

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put_segment(uint8_t *header, uint32_t flags, uint64_t offset, uint64_t address,
                        uint64_t file_size, uint64_t memory_size)
{
    put(header, 1, 4);
    put(header + 4, flags, 4);
    put(header + 8, offset, 8);
    put(header + 16, address, 8);
    put(header + 32, file_size, 8);
    put(header + 40, memory_size, 8);
}

/* Text that is shared, and data with more behind it. */
static void make_image(uint8_t *image)
{
    memset(image, 0, IMAGE_SIZE);
    memcpy(image, "\177ELF\2\1\1", 7);
    put(image + 16, 2, 2);
    put(image + 18, 243, 2);
    put(image + 20, 1, 4);
    put(image + 24, 0x10100, 8);
    put(image + 32, 64, 8);
    put(image + 54, 56, 2);
    put(image + 56, 2, 2);
    put_segment(image + 64, 5, 0, 0x10000, 0x1000, 0x1000);
    put_segment(image + 120, 6, 0x1000, 0x20000, 0x800, 0x3000);
}

struct host_object *serve_image(bool populated)
{
    struct host_object *memory = host_memory(IMAGE_SIZE, 0, populated ? IMAGE_SIZE : PAGE_SIZE);
    make_image(host_memory_bytes(memory));
    return memory;
}

static size_t add_file(uint8_t *archive, size_t at, const char *name, const void *data, size_t len)
{
    at += (size_t)sprintf((char *)archive + at,
                          "070701%08x%08x%08x%08x%08x%08x%08zX%08x%08x%08x%08x%08zx%08x", 1,
                          0100755, 0, 0, 1, 0, len, 0, 0, 0, 0, strlen(name) + 1, 0);
    memcpy(archive + at, name, strlen(name) + 1);
    at = (at + strlen(name) + 1 + 3) & ~(size_t)3;
    memcpy(archive + at, data, len);
    return (at + len + 3) & ~(size_t)3;
}

static struct host_object *make_archive(void)
{
    static uint8_t image[IMAGE_SIZE];
    struct host_object *memory = host_memory(ARCHIVE_MAX, 0, ARCHIVE_MAX);
    uint8_t *archive = host_memory_bytes(memory);
    make_image(image);
    size_t at = add_file(archive, 0, "services.conf", services, sizeof services - 1);
    at = add_file(archive, at, "prog", image, sizeof image);
    at = add_file(archive, at, "empty", "", 0);
    info.archive_size = add_file(archive, at, "TRAILER!!!", "", 0);
    return memory;
}

/* ---- The kernel's services -------------------------------------------------------------------- */

static int facts(void *context, struct message *m)
{
    (void)context;
    struct process_facts *process = (struct process_facts *)&m->words[1];
    const struct host_process *found;
    uint64_t pid = m->words[0];
    memset(&m->words[1], 0, sizeof m->data - 8);
    m->words[0] = 0;
    m->len = 8;
    switch (m->type) {
    case KFACT_PROCESS:
        found = host_process_next((uint32_t)pid);
        if (found == NULL) {
            m->words[0] = (uint64_t)-ESRCH;
            return 0;
        }
        process->pid = host_pid(found);
        process->state = PROCESS_READY;
        process->pages_quota = UINT32_MAX;
        memcpy(process->name, host_process_name(found), sizeof process->name);
        m->len = 8 + sizeof *process;
        return 0;
    case KFACT_MEMORY:
        m->len = 8 + sizeof(struct memory_facts);
        return 0;
    case KFACT_SCHEDULER:
        m->len = 8 + sizeof(struct scheduler_facts);
        return 0;
    default:
        return 0;
    }
}

/* A log of which the beginning is lost already. */
static int console(void *context, struct message *m)
{
    (void)context;
    const uint64_t oldest = 1000, newest = 9000;
    uint64_t offset = m->words[0];
    memset(m->data, 'l', sizeof m->data);
    m->words[0] = (uint64_t)-ENODATA;
    m->words[1] = oldest;
    m->len = 16;
    if (offset < oldest || offset > newest)
        return 0;
    m->words[1] = 0x6c6c6c6c6c6c6c6c;
    m->words[0] = newest - offset < 240 ? newest - offset : 240;
    m->len = (uint16_t)(8 + m->words[0]);
    return 0;
}

static int wall_clock(void *context, struct message *m)
{
    (void)context;
    m->words[0] = 0;
    m->words[1] = 1700000000123456789;
    m->len = 16;
    return 0;
}

static int power(void *context, struct message *m)
{
    (void)context;
    if (serve_power == NULL)
        host_bug("init turns the machine off: %lu", (unsigned long)m->words[0]);
    serve_power(m->words[0]);
    return -EIO;
}

static handle_t insert(struct host_object *object)
{
    handle_t handle = host_give(0, object, RIGHTS_ALL & ~(uint32_t)RIGHT_RECV, NULL);
    host_release(object);
    return handle;
}

int64_t device_enum(handle_t bus, uint32_t index, struct device_info *device)
{
    static const uint32_t kinds[] = {2, 4};
    if (bus != info.bus)
        host_bug("devices on what is no bus");
    if (index >= sizeof kinds / sizeof kinds[0])
        return -ENOENT;
    *device = (struct device_info){.compatible = "virtio,mmio",
                                   .base = 0x10001000 + index * 0x1000,
                                   .size = 0x1000,
                                   .irq = index + 1,
                                   .virtio_id = kinds[index],
                                   .handle = insert(host_device())};
    return 0;
}

/* ---- Starting --------------------------------------------------------------------------------- */

const struct first_process_info *start_first_process(void)
{
    return &info;
}

/* On the host the pages of a program are there. */
void populate_own_memory(void)
{
}

static void start(void)
{
    server_main();
}

void serve_init(void)
{
    info.archive = insert(make_archive());
    info.bus = insert(host_device());
    info.console = insert(host_channel(console, NULL));
    info.facts = insert(host_channel(facts, NULL));
    info.stats = insert(host_channel(facts, NULL));
    info.clock = insert(host_channel(wall_clock, NULL));
    info.power = insert(host_channel(power, NULL));
    host_start(start);
    const size_t count = sizeof given / sizeof given[0];
    const struct host_process *process = serve_names();
    for (size_t i = 0; i < count; i++) /* behind its own channel and the device */
        given_objects[i] = host_object(process, host_handle(process, 2 + (unsigned)i));
}

static struct host_process *named(const char *name)
{
    struct host_process *process = NULL;
    for (uint32_t pid = 0; (process = host_process_next(pid)) != NULL; pid = host_pid(process) + 1)
        if (strcmp(host_process_name(process), name) == 0)
            return process;
    host_bug("there is no process %s", name);
}

struct host_process *serve_shell(void)
{
    return named("sh");
}

struct host_process *serve_names(void)
{
    return named("names");
}

int serve_own(const struct host_process *process)
{
    for (unsigned n = 0;; n++) {
        int handle = host_handle(process, n);
        if (handle < 0 || host_badge(process, handle) == BADGE(BADGE_PROCESS, host_pid(process)))
            return handle;
    }
}

int serve_root(struct host_process *process, const char *name)
{
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        if (strcmp(given[i], name) == 0)
            return host_hold(process, given_objects[i],
                             RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    host_bug("nobody was given %s", name);
}

size_t serve_block(const struct spawn_options *options, uint8_t *buffer, size_t size)
{
    int64_t len = spawn_block_size(options);
    if (len < 0 || (size_t)len > size)
        host_bug("a block of %ld bytes", (long)len);
    memset(buffer, 0, (size_t)len);
    spawn_block_build((struct spawn_block *)buffer, (size_t)len, options);
    return (size_t)len;
}
