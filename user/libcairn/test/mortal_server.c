/* The kernel and init of a server that dies. A handle is an object's number, plus what tells the
 * lives apart: one that was kept as a number instead of with init is found out. */
#include "mortal_server.h"

#include "abi/memory.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "mortal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE  (512u << 10)
#define PLACES 768
#define MINTED 160
#define PID    7

/* The objects behind MORTAL_SESSION are sessions of the server, in the order in which they were
 * minted. */
enum { OWN_CHANNEL = 500, PROCESS_SERVICE, STATE_MEMORY };

static struct world {
    struct mortal_answer answers[MORTAL_CALLS];
    uint64_t minted[MINTED]; /* badges */
    unsigned minted_count;
    unsigned begun; /* calls that were received */
    uint32_t places[PLACES];
    uint8_t disk[MORTAL_DISK];
    _Alignas(8) uint8_t state[STATE];
} * world, *undisturbed;

static const struct mortal_call *calls;
static unsigned call_count, served; /* how many of them in this life */
static unsigned places_slack;
static uint8_t *lent; /* window 0 of the call that is served */
static uint64_t lent_length;
static handle_t life = 10000; /* what is added to an object */

/* ---- The kernel -------------------------------------------------------------------------------
 */

static uint32_t object_of(handle_t handle)
{
    if (handle < life || handle >= life + 10000) {
        fprintf(stderr, "%d is a handle of another life\n", handle);
        abort();
    }
    return (uint32_t)(handle - life);
}

static handle_t handle_of(uint32_t object) { return life + (handle_t)object; }

int64_t handle_close(handle_t handle) { return object_of(handle) ? 0 : -EBADF; }

int64_t handle_dup(handle_t handle, uint32_t rights)
{
    (void)rights;
    return handle_of(object_of(handle));
}

int64_t handle_info(handle_t handle, struct handle_info *info)
{
    uint32_t object = object_of(handle);
    *info = (struct handle_info){.type = object == OWN_CHANNEL      ? OBJECT_CHANNEL
                                         : object >= MORTAL_SESSION ? OBJECT_SESSION
                                         : object % 2               ? OBJECT_CHANNEL
                                                                    : OBJECT_MEMORY,
                                 .rights = RIGHTS_ALL,
                                 .id = object >= MORTAL_SESSION ? OWN_CHANNEL : object};
    return 0;
}

int64_t handle_mint(handle_t channel, uint32_t rights, uint64_t badge)
{
    (void)channel, (void)rights;
    if (world->minted_count == MINTED)
        abort();
    world->minted[world->minted_count] = badge;
    return handle_of(MORTAL_SESSION + world->minted_count++);
}

int64_t memory_info(handle_t memory, struct memory_info *info)
{
    *info = (struct memory_info){.size = object_of(memory) == STATE_MEMORY ? STATE : PAGE_SIZE,
                                 .populated = PAGE_SIZE,
                                 .flags = MEMORY_CONTIGUOUS};
    return 0;
}

/* Of other objects, the address is made of the number: nobody looks there. */
int64_t memory_map(handle_t process, handle_t memory, uint64_t address, uint64_t offset,
                   uint64_t len, uint32_t prot)
{
    (void)process, (void)address, (void)offset, (void)len, (void)prot;
    uint32_t object = object_of(memory);
    return object == STATE_MEMORY ? (int64_t)world->state : (int64_t)object * PAGE_SIZE;
}

int64_t memory_unmap(handle_t process, uint64_t address, uint64_t len)
{
    (void)process, (void)address, (void)len;
    return 0;
}

int64_t virt_to_phys(handle_t device, uint64_t address)
{
    (void)device;
    return (int64_t)address;
}

int64_t copy_out(uint64_t token, uint32_t window, uint64_t offset, const void *buffer, size_t len)
{
    (void)token, (void)window;
    if (offset > lent_length || len > lent_length - offset)
        return -EFAULT;
    memcpy(lent + offset, buffer, len);
    return (int64_t)len;
}

int64_t copy_in(uint64_t token, uint32_t window, uint64_t offset, void *buffer, size_t len)
{
    (void)token, (void)window;
    if (offset > lent_length || len > lent_length - offset)
        return -EFAULT;
    memcpy(buffer, lent + offset, len);
    return (int64_t)len;
}

/* The time goes on from life to life. */
int64_t clock_now(void) { return life; }

int64_t debug_write(const char *text, size_t len) { return (int64_t)fwrite(text, 1, len, stderr); }

void process_exit(int64_t status) { _exit((int)status); }

/* ---- Init -------------------------------------------------------------------------------------
 */

const struct spawn_block *start_block(void)
{
    static struct spawn_block block;
    block.process_service = handle_of(PROCESS_SERVICE);
    return &block;
}

const char *start_string(uint32_t offset) { return offset ? "" : NULL; }

handle_t start_handle(uint32_t id, unsigned n)
{
    if (id == SPAWN_DEVICE && n == 0)
        return handle_of(1);
    return n || (id != SPAWN_SERVICE && id != SPAWN_STATE)
               ? -ENOENT
               : handle_of(id == SPAWN_STATE ? STATE_MEMORY : OWN_CHANNEL);
}

static int keep(struct message *m)
{
    uint32_t *place = &world->places[m->words[0]];
    if (m->words[0] >= PLACES)
        abort();
    m->words[0] = 0;
    if (m->type == PROC_KEEP) {
        *place = m->handle_count ? object_of(m->handles[0]) : 0;
        m->handle_count = 0;
    } else if (*place) {
        m->handles[m->handle_count++] = handle_of(*place);
    } else {
        m->words[0] = (uint64_t)-ENOENT;
    }
    return 0;
}

int channel_call(handle_t channel, struct message *m)
{
    if (object_of(channel) != PROCESS_SERVICE || (m->type != PROC_KEEP && m->type != PROC_KEPT))
        abort();
    return keep(m);
}

int channel_call_deadline(handle_t channel, struct message *m, uint64_t deadline)
{
    (void)channel, (void)m, (void)deadline;
    return -ETIMEDOUT;
}

bool mortal_kept(uint32_t object)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (world->places[i] == object)
            return true;
    return false;
}

uint8_t *mortal_disk(void) { return world->disk; }

uint8_t *mortal_window(void) { return lent; }

/* ---- The client -------------------------------------------------------------------------------
 */

static uint64_t token_of(unsigned call) { return 1 + THREADS_MAX * (call + 1ul); }

int channel_reply(uint64_t token, const struct message *m)
{
    struct mortal_answer *answer = &world->answers[token / THREADS_MAX - 1];
    answer->reply = *m;
    for (unsigned i = 0; i < m->handle_count; i++)
        answer->reply.handles[i] = (handle_t)object_of(m->handles[i]);
    __atomic_store_n(&answer->given, true, __ATOMIC_SEQ_CST);
    return 0;
}

int server_reply(uint64_t token, int64_t result, const void *data, size_t len)
{
    struct message m = {.len = (uint16_t)(len > sizeof result ? len : sizeof result)};
    if (len)
        memcpy(m.data, data, len);
    m.words[0] = (uint64_t)result;
    return channel_reply(token, &m);
}

static void serve(struct server *server, unsigned number, bool again)
{
    const struct mortal_call *call = &calls[number];
    struct message m = call->m, reply = {.len = sizeof(int64_t)};
    struct request request = {server, token_of(number), &m, &reply};
    lent = world->answers[number].window;
    lent_length = m.window_count ? m.windows[0].length : 0;
    if (call->lends)
        memcpy(lent, call->lends, lent_length);
    m.sender = PID;
    m.flags = again ? MESSAGE_RESENT : 0;
    if (call->through >= 0)
        m.badge = world->minted[world->answers[call->through].reply.handles[0] - MORTAL_SESSION];
    for (unsigned i = 0; i < m.handle_count; i++)
        m.handles[i] = handle_of((uint32_t)m.handles[i]);
    int64_t result = m.type == MORTAL_CLOSE ? 0 : -ENOSYS;
    if (m.type == MORTAL_CLOSE)
        server->closed(server, m.badge);
    for (size_t i = 0; i < server->operation_count; i++)
        if (server->operations[i].type == m.type)
            result = server->operations[i].handle(&request);
    if (result == SERVER_DEFERRED)
        return;
    reply.words[0] = (uint64_t)result;
    channel_reply(request.token, &reply);
}

static bool is_held(uint32_t session)
{
    for (unsigned i = 0; i < call_count; i++)
        if (world->answers[i].given && world->answers[i].reply.handle_count &&
            (uint32_t)world->answers[i].reply.handles[0] == session)
            return true;
    return false;
}

int server_run(struct server *server)
{
    for (unsigned i = 0, lost = world->minted_count; i < lost && world->begun; i++)
        if (!is_held(MORTAL_SESSION + i))
            server->closed(server, world->minted[i]);
    for (unsigned i = 0; i < call_count && world->begun; i++) {
        if (!calls[i].probes || !world->answers[calls[i].through].given)
            continue;
        serve(server, i, false);
        memset(&world->answers[i], 0, sizeof world->answers[i]);
    }
    if (served < call_count)
        mortal_begin();
    for (unsigned i = 0; i < served; i++) {
        if (world->answers[i].given)
            continue;
        bool again = world->begun > i;
        world->begun = i + 1;
        serve(server, i, again);
        if (!world->answers[i].given)
            abort(); /* it waits, and for what? */
    }
    return 0;
}

/* ---- The test ---------------------------------------------------------------------------------
 */

int server_main(void);

static void live(void *argument)
{
    (void)argument;
    if (server_main() != 0)
        abort();
}

static unsigned kept_count(const struct world *of)
{
    unsigned count = 0;
    for (unsigned i = 0; i < PLACES; i++)
        count += of->places[i] != 0;
    return count;
}

/* Sessions have other numbers when some of them were lost. */
static void forget_numbers(struct message *reply)
{
    for (unsigned i = 0; i < reply->handle_count; i++)
        if (reply->handles[i] > MORTAL_SESSION)
            reply->handles[i] = MORTAL_SESSION;
}

static bool rise_and_check(void *argument)
{
    unsigned begun = world->begun;
    life += 10000;
    served = call_count;
    live(argument);
    for (unsigned i = 0; i < call_count; i++) {
        struct mortal_answer *wanted = &undisturbed->answers[i], *got = &world->answers[i];
        forget_numbers(&wanted->reply);
        forget_numbers(&got->reply);
        if (memcmp(wanted, got, sizeof *got) == 0)
            continue;
        fprintf(stderr, "died in call %d, then call %u gave %ld, not %ld\n", (int)begun - 1, i,
                (long)got->reply.words[0], (long)wanted->reply.words[0]);
        return false;
    }
    unsigned kept = kept_count(world), most = kept_count(undisturbed) + places_slack;
    if (kept > most)
        fprintf(stderr, "died in call %d, then init has %u handles, not %u\n", (int)begun - 1, kept,
                most);
    return kept <= most && memcmp(world->disk, undisturbed->disk, MORTAL_DISK) == 0;
}

int mortal_serve(const struct mortal_call *script, unsigned count, unsigned mortal, unsigned slack,
                 bool (*check)(const struct mortal_answer *answers))
{
    unsigned failed;
    calls = script;
    call_count = served = count;
    places_slack = slack;
    world = mortal_memory(sizeof *world);
    undisturbed = mortal_memory(sizeof *undisturbed);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        live(NULL);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    memcpy(undisturbed, world, sizeof *world);
    if (status != 0 || !check(undisturbed->answers)) {
        fprintf(stderr, "not even a server that lives does it\n");
        return 1;
    }
    memset(world, 0, sizeof *world);
    served = mortal;
    unsigned deaths = mortal_stores(live, rise_and_check, NULL, world, sizeof *world, &failed);
    printf("%u passed, %u failed\n", deaths - failed, failed);
    return failed != 0 || deaths < mortal;
}
