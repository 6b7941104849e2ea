/* init, the first process and root task: it starts the services, then serves sys:process, proc:,
 * time:, boot: and sys: on one channel, and waits for nobody that it looks after. */

#include "archive.h"
#include "cairn/spawn.h"
#include "devices.h"
#include "init.h"
#include "process_service.h"
#include "services.h"
#include "shutdown.h"
#include "supervisor.h"
#include "text/textfiles.h"
#include <string.h>

struct init_state init;

void init_tick_at(uint64_t deadline)
{
    if (init.server.deadline == 0 || deadline < init.server.deadline)
        init.server.deadline = deadline;
}

/* Which part of init a request is for depends on the handle that it came through, and so does the
 * meaning of its type. */
static int64_t route(struct request *request)
{
    uint64_t badge = request->message->badge;

    switch (BADGE_CLASS(badge)) {
    case BADGE_PROCESS:
        return process_request(request);
    case BADGE_SPAWN:
        return spawn_session_request(request);
    case BADGE_JOB:
        return job_request(request);
    case BADGE_ROOT:
        return BADGE_NUMBER(badge) == ROOT_PROCESS ? process_request(request)
                                                   : text_request(request);
    case BADGE_TEXT:
        return text_request(request);
    default:
        return -EINVAL;
    }
}

static struct server_operation operations[32]; /* by type; all lead to route */

static void closed(struct server *server, uint64_t badge)
{
    (void)server;
    if (BADGE_CLASS(badge) == BADGE_SPAWN)
        spawn_session_closed(BADGE_NUMBER(badge));
    else if (BADGE_CLASS(badge) == BADGE_TEXT)
        text_closed(badge);
}

static void pulsed(struct server *server, uint64_t bits)
{
    (void)server;
    processes_poll(bits);
}

static uint64_t tick(struct server *server)
{
    uint64_t now = (uint64_t)clock_now();
    (void)server;

    uint64_t services = shutdown_running() ? 0 : services_tick(now);
    uint64_t shutdown = shutdown_tick(now);
    if (services == 0 || (shutdown != 0 && shutdown < services))
        return shutdown;
    return services;
}

static void read_command_line(void)
{
    static char text[sizeof init.info->command_line + 1];

    memcpy(text, init.info->command_line, sizeof init.info->command_line);
    boot_options_parse(&init.options, text);
    for (size_t i = 0; i < init.options.unknown_count; i++)
        init_log("kernel command line: \"%s\" means nothing to me", init.options.unknown[i]);
}

int main(void)
{
    populate_own_memory();
    init.info = start_first_process();
    if (init.info == NULL)
        init_fail("this is not the first process of the system");
    int64_t channel = channel_create(0);
    if (channel < 0)
        init_fail("no channel: error %lld", (long long)-channel);
    for (uint32_t type = 0; type < sizeof operations / sizeof operations[0]; type++)
        operations[type] = (struct server_operation){.type = type, .handle = route};
    init.server = (struct server){
        .channel = (handle_t)channel,
        .operations = operations,
        .operation_count = sizeof operations / sizeof operations[0],
        .closed = closed,
        .pulse = pulsed,
        .tick = tick,
    };
    process_table_init(&init.table, (uint32_t)process_self());
    int error = archive_open();
    if (error < 0)
        init_fail("cannot read the boot archive: error %d", -error);
    read_command_line();
    devices_find_all();
    services_start();
    error = server_run(&init.server);
    init_fail("the server loop ended: error %d", -error);
}
