/* Starts the services in the order of services.conf, and gives each what its section says. Nothing
 * here waits for a service. */

#include "services.h"
#include "../../user/libcairn/spawn_block.h"
#include "archive.h"
#include "cairn/server.h"
#include "cairn/spawn.h"
#include "devices.h"
#include "keeper.h"
#include "spawn.h"
#include "supervisor.h"
#include <stdio.h>
#include <string.h>

static struct service services[CONFIG_SECTIONS_MAX];
static size_t service_count;
static handle_t namespace; /* the root view, once the name service has been started */
static handle_t endpoints[HANDLE_BLOCK + 1];
static const char *const endpoint_names[] = {NULL, "vfs", "network", "loader", "block"};

size_t services_count(void)
{
    return service_count;
}

struct service *services_get(size_t index)
{
    return &services[index];
}

struct service *service_find(uint32_t pid)
{
    for (size_t i = 0; i < service_count; i++)
        if (services[i].pid == pid)
            return &services[i];
    return NULL;
}

/* ---- What a section may ask for with "give" ---- */

static const struct {
    const char *name;
    size_t kernel_handle; /* offset in struct first_process_info, or 0: a name that init serves */
    enum init_root root;
} gifts[] = {
    {"sys:console", offsetof(struct first_process_info, console), 0},
    {"sys:facts", offsetof(struct first_process_info, facts), 0},
    {"sys:stats", offsetof(struct first_process_info, stats), 0},
    {"sys:clock", offsetof(struct first_process_info, clock), 0},
    {"sys:process", 0, ROOT_PROCESS},
    {"sys:", 0, ROOT_SYS},
    {"proc:", 0, ROOT_PROC},
    {"time:", 0, ROOT_TIME},
    {"boot:", 0, ROOT_BOOT},
};

/* The handle that a name stands for; minted ones are made once and kept. */
static handle_t gift_handle(const char *name)
{
    static handle_t minted[sizeof gifts / sizeof gifts[0]];

    for (size_t i = 0; i < sizeof gifts / sizeof gifts[0]; i++) {
        if (strcmp(gifts[i].name, name) != 0)
            continue;
        if (gifts[i].root == 0)
            return *(const handle_t *)((const char *)init.info + gifts[i].kernel_handle);
        if (minted[i] <= 0)
            minted[i] =
                (handle_t)handle_mint(init.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                                      BADGE(BADGE_ROOT, gifts[i].root));
        return minted[i];
    }
    return -ENOENT;
}

/* ---- Starting ---- */

/* What a service is started with, gathered before anything is made. */
struct parcel {
    struct spawn_handle handles[SPAWN_HANDLES_MAX];
    uint32_t rights[SPAWN_HANDLES_MAX];
    size_t count;
    const char *env[CONFIG_ENV_MAX + 2];
    char devices[96]; /* for the log */
};

static void parcel_add(struct parcel *parcel, uint32_t id, handle_t handle, uint32_t rights,
                       const char *name)
{
    if (parcel->count == SPAWN_HANDLES_MAX || handle <= 0) {
        init_log("cannot pass on %s: %s", name ? name : "a handle",
                 handle <= 0 ? "there is none" : "too many handles");
        return;
    }
    parcel->handles[parcel->count] =
        (struct spawn_handle){.id = id, .handle = handle, .name = name};
    parcel->rights[parcel->count++] = rights;
}

static const char *device_kind(uint32_t virtio_id)
{
    switch (virtio_id) {
    case 1:
        return "net";
    case 2:
        return "block";
    case 3:
        return "console";
    case 4:
        return "rng";
    case 16:
        return "gpu";
    case 18:
        return "input";
    default:
        return "other";
    }
}

static size_t add_devices(struct parcel *parcel, uint32_t virtio_id)
{
    size_t found = 0;
    for (size_t i = 0; i < devices_count(); i++) {
        const struct device_info *device = devices_get(i);
        if (device->virtio_id != virtio_id)
            continue;
        parcel_add(parcel, SPAWN_DEVICE, device->handle, RIGHTS_ALL, device_kind(virtio_id));
        size_t used = strlen(parcel->devices);
        snprintf(parcel->devices + used, sizeof parcel->devices - used, "%s %s at 0x%llx",
                 used == 0 ? " with" : ",", device->compatible, (unsigned long long)device->base);
        found++;
    }
    return found;
}

/* Why the service cannot be started on this machine, or NULL. */
static const char *missing(const struct config_section *section, char *buffer, size_t size)
{
    for (size_t i = 0; i < section->need_count; i++) {
        for (size_t n = 0; n < service_count; n++) {
            if (strcmp(services[n].section->name, section->needs[i]) == 0 &&
                !services[n].was_started) {
                snprintf(buffer, size, "%s is not running", section->needs[i]);
                return buffer;
            }
        }
    }
    for (size_t i = 0; i < section->device_count; i++) {
        bool found = section->devices[i].maybe;
        for (size_t n = 0; n < devices_count() && !found; n++)
            found = devices_get(n)->virtio_id == section->devices[i].virtio_id;
        if (!found) {
            snprintf(buffer, size, "this machine has no %s device",
                     device_kind(section->devices[i].virtio_id));
            return buffer;
        }
    }
    return NULL;
}

/* A name service that starts again has forgotten who serves what. What init knows of it is there
 * from the first moment on; the servers add the rest when they are told. */
static void add_served_names(struct parcel *parcel)
{
    for (size_t i = 0; i < service_count; i++)
        for (size_t n = 0; n < services[i].section->serve_count && services[i].channel > 0; n++)
            if (services[i].was_started)
                parcel_add(parcel, SPAWN_KERNEL, services[i].channel,
                           RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, services[i].section->serves[n]);
}

/* WAIT=name holds a program up until the name is served: not on a machine where no service that
 * runs will serve it (one without a disk). */
static bool waits_in_vain(const char *variable)
{
    if (strncmp(variable, "WAIT=", 5) != 0)
        return false;
    for (size_t i = 0; i < service_count; i++)
        for (size_t n = 0; n < services[i].section->serve_count && services[i].was_started; n++)
            if (strcmp(services[i].section->serves[n], variable + 5) == 0)
                return false;
    return true;
}

static void pack(struct parcel *parcel, struct service *service)
{
    const struct config_section *section = service->section;

    memset(parcel, 0, sizeof *parcel);
    if (namespace > 0 && !section->namespace)
        parcel_add(parcel, SPAWN_NAMESPACE, namespace, RIGHTS_ALL, NULL);
    if (service->channel > 0)
        parcel_add(parcel, SPAWN_SERVICE, service->channel, RIGHTS_ALL, section->name);
    if (service->state > 0)
        parcel_add(parcel, SPAWN_STATE, service->state, RIGHT_MAP_R | RIGHT_MAP_W, NULL);
    for (size_t i = 0; i < section->device_count; i++)
        add_devices(parcel, section->devices[i].virtio_id);
    for (size_t i = 0; i < section->give_count; i++)
        parcel_add(parcel, SPAWN_KERNEL, gift_handle(section->gives[i]), RIGHTS_ALL,
                   section->gives[i]);
    if (section->namespace && service->was_started)
        add_served_names(parcel);
    for (uint32_t n = 1; n <= HANDLE_BLOCK && section->shell; n++)
        if (endpoints[n] > 0)
            parcel_add(parcel, SPAWN_ENDPOINT + n, endpoints[n], RIGHTS_ALL, endpoint_names[n]);
    size_t variables = 0;
    for (size_t i = 0; i < section->env_count; i++)
        if (!waits_in_vain(section->env[i]))
            parcel->env[variables++] = section->env[i];
    if (init.options.plain)
        parcel->env[variables] = "CAIRN_PLAIN=1";
}

/* The program's arguments: those of its section, or those that the command line asks for. */
static void choose_arguments(const struct config_section *section, const char **argv)
{
    memcpy(argv, section->argv, sizeof section->argv);
    if (section->shell && init.options.run != NULL) {
        argv[1] = "-c";
        argv[2] = init.options.run;
        argv[3] = NULL;
    }
}

static int open_block(struct creation *c, handle_t image, const struct spawn_options *options)
{
    int64_t size = spawn_block_size(options);
    if (size < 0)
        return (int)size;
    int error =
        creation_open(c, image, (uint32_t)size, (uint32_t)options->stack_size, MEMORY_SIZE_MAX);
    if (error == 0)
        spawn_block_build(c->block, (size_t)size, options);
    return error;
}

static int launch(struct service *service, const struct parcel *parcel)
{
    const struct config_section *section = service->section;
    const char *argv[CONFIG_ARGS_MAX + 1];
    struct creation c;

    handle_t image = archive_image(section->argv[0]);
    if (image < 0)
        return image;
    choose_arguments(section, argv);
    const struct spawn_options options = {
        .argv = argv,
        .envp = parcel->env,
        .cwd = section->cwd,
        .handles = parcel->handles,
        .handle_count = parcel->count,
        .stack_size = section->stack,
    };
    int error = open_block(&c, image, &options);
    if (error < 0)
        return error;

    struct process *slot =
        process_admit(&init.table, NULL, section->shell ? KIND_SHELL : KIND_SERVICE, false);
    if (slot == NULL) {
        creation_abandon(&c);
        return -EAGAIN;
    }
    strncpy(slot->name, section->name, sizeof slot->name - 1);
    slot->quota = section->quota;
    slot->priority = section->priority ? section->priority : PRIORITY_DEFAULT;
    error = creation_make(&c, slot);
    if (error < 0)
        return error;
    for (size_t i = 0; i < parcel->count && error >= 0; i++)
        error = creation_give(&c, parcel->handles[i].handle, parcel->rights[i]);
    if (error >= 0)
        error = creation_run(&c);
    if (error < 0)
        creation_abandon(&c);
    return error;
}

/* Makes what exists once per service and outlives its processes. */
static int prepare(struct service *service)
{
    const struct config_section *section = service->section;

    int error = keeper_prepare(service);
    if (error < 0)
        return error;
    if (section->shell || service->channel > 0)
        return 0;
    int64_t channel = channel_create(0);
    if (channel < 0)
        return (int)channel;
    service->channel = (handle_t)channel;
    return 0;
}

/* After its first start: the name service's channel is the root view, others may be endpoints. */
static void announce(const struct service *service)
{
    const struct config_section *section = service->section;
    const uint32_t rights = RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER;

    if (section->namespace)
    namespace = (handle_t)handle_dup(service->channel, rights);
    if (section->endpoint != 0) {
        endpoints[section->endpoint] = (handle_t)handle_dup(service->channel, rights);
        init_log("endpoint %u (%s) is %s", (unsigned)section->endpoint,
                 endpoint_names[section->endpoint], section->name);
    }
}

static void tell_names_are_lost(void)
{
    for (size_t i = 0; i < service_count; i++)
        if (services[i].channel > 0 && !services[i].section->namespace)
            pulse(services[i].channel, 1ul << SERVER_PULSE_NAMES);
}

int service_start(struct service *service)
{
    const struct config_section *section = service->section;
    struct parcel parcel;

    service->started_at = (uint64_t)clock_now();
    int result = prepare(service);
    if (result == 0) {
        pack(&parcel, service);
        result = launch(service, &parcel);
    }
    if (result < 0) {
        init_log("%s cannot be started: error %d", section->name, -result);
        return result;
    }
    service->pid = (uint32_t)result;
    init_log("%s (pid %u) started%s", section->name, (unsigned)service->pid, parcel.devices);
    if (!service->was_started)
        announce(service);
    else if (section->namespace)
        tell_names_are_lost();
    service->was_started = true;
    heartbeat_ask(service);
    return 0;
}

/* ---- At boot ---- */

static void start_first_time(struct service *service)
{
    const struct config_section *section = service->section;
    char buffer[80];
    const char *why = missing(section, buffer, sizeof buffer);

    if (why == NULL && !archive_has(section->argv[0]))
        why = "its program is not in the boot archive";
    if (why != NULL)
        init_log("%s%s not started: %s", section->optional ? "" : "error: ", section->name, why);
    else if (service_start(service) < 0 && section->shell)
        init_fail("no shell, so there is nothing to do");
}

void services_start(void)
{
    struct cpio_file file;

    if (archive_find("services.conf", &file) < 0)
        init_fail("there is no services.conf in the boot archive");
    if (config_parse(&init.config, (const char *)file.data, file.size) < 0)
        init_fail("services.conf, line %u: %s", init.config.error_line, init.config.error);
    for (size_t i = 0; i < init.config.section_count; i++) {
        struct service *service = &services[service_count++];
        service->section = &init.config.sections[i];
        start_first_time(service);
    }
}
