/* DHCP client: the states of RFC 2131 figure 5 and 4.4. */
#include "dhcp.h"

#include "../netif.h"
#include "../stack.h"
#include "../transfer.h"
#include "message.h"

#define MS               1000000ull
#define SECOND           (1000 * MS)
#define FALLBACK_AFTER   (6 * SECOND)
#define RETRY_FIRST      (4 * SECOND) /* RFC 2131 4.1: doubled each time, a second more or less */
#define RETRY_DOUBLINGS  4            /* up to 64 s */
#define RETRY_JITTER     SECOND
#define REQUEST_ATTEMPTS 4
#define REBOOT_ATTEMPTS  2
#define RENEW_RETRY_MIN  (60 * SECOND) /* 4.4.5 */
#define AFTER_NAK        SECOND        /* not at once: a server that only refuses is not flooded */
#define AFTER_DECLINE    (10 * SECOND) /* 3.1, 5. */
#define PROBES           2             /* not RFC 5227's three with seconds between: boot waits */
#define PROBE_WAIT       (200 * MS)
#define DEFEND_INTERVAL  (10 * SECOND) /* RFC 5227 2.4 (b) */
#define DATAGRAMS        16            /* read in one poll */

static uint32_t random_u32(struct dhcp_client *client)
{
    uint32_t value;
    client->stack->config.random(&value, sizeof(value));
    return value;
}

/* --- sending --- */

/* from_address: the server is asked, or told, from the address that is in use. */
static bool from_address(const struct dhcp_client *client, enum dhcp_type type)
{
    return type == DHCP_RELEASE || client->state == DHCP_RENEWING ||
           client->state == DHCP_REBINDING;
}

/* send: what may be in a message depends on the state, RFC 2131 4.4.1 table 5. Losing one is no
 * error: it will be sent again. */
static void send(struct dhcp_client *client, enum dhcp_type type)
{
    uint8_t bytes[DHCP_REQUEST_MAX];
    bool in_use = from_address(client, type);
    struct dhcp_request request = {
        .type = type, .xid = client->xid, .hostname = client->config.hostname};
    struct socket_message message = {.peer = {.port = DHCP_SERVER_PORT}};

    memcpy(request.mac, client->netif->mac, MAC_SIZE);
    if (type == DHCP_DISCOVER || type == DHCP_REQUEST)
        request.seconds = (uint16_t)((client->now - client->started) / SECOND);
    if (in_use)
        request.ciaddr = client->lease.address;
    else
        request.requested = client->wanted.address;
    if (type == DHCP_DECLINE || type == DHCP_RELEASE || client->state == DHCP_REQUESTING)
        request.server = client->wanted.server;
    message.peer.interface = client->netif->index;
    message.peer.address = type == DHCP_RELEASE || client->state == DHCP_RENEWING
                               ? client->wanted.server
                               : ip_v4(255, 255, 255, 255);
    client->socket->unspecified_source = !in_use;
    if (socket_send_memory(client->socket, bytes, dhcp_emit(&request, bytes), &message) >= 0)
        client->counters.sent++;
}

static void discover(struct dhcp_client *client) { send(client, DHCP_DISCOVER); }

static void request(struct dhcp_client *client)
{
    client->requested = client->now;
    send(client, DHCP_REQUEST);
}

/* back_off: when to send again (RFC 2131 4.1). */
static uint64_t back_off(struct dhcp_client *client)
{
    unsigned doublings = client->attempts < RETRY_DOUBLINGS ? client->attempts : RETRY_DOUBLINGS;
    uint64_t jitter = random_u32(client) % (2 * RETRY_JITTER + 1);
    client->attempts++;
    return client->now + (RETRY_FIRST << doublings) - RETRY_JITTER + jitter;
}

/* renew_retry: half of what remains until the next state, but not too often (4.4.5). */
static uint64_t renew_retry(struct dhcp_client *client, uint64_t end)
{
    uint64_t wait = (end - client->now) / 2;
    if (wait < RENEW_RETRY_MIN)
        wait = RENEW_RETRY_MIN;
    return wait < end - client->now ? client->now + wait : end;
}

/* --- the configuration in force --- */

static void configure(struct dhcp_client *client, const struct dhcp_lease *lease)
{
    client->lease = *lease;
    client->configured = true;
    client->fallback_at = 0;
    client->config.changed(client->config.context, &client->lease);
}

static void unconfigure(struct dhcp_client *client)
{
    if (!client->configured)
        return;
    client->configured = false;
    memset(&client->lease, 0, sizeof(client->lease));
    client->config.changed(client->config.context, &client->lease);
}

/* leased: what is in force has been given by a server. */
static bool leased(const struct dhcp_client *client)
{
    return client->configured && !client->lease.fallback;
}

/* --- transitions --- */

static void enter(struct dhcp_client *client, enum dhcp_state state, uint64_t next)
{
    client->state = state;
    client->next = next;
    client->attempts = 0;
}

/* restart: without a lease, from the beginning, after a while. */
static void restart(struct dhcp_client *client, uint64_t wait)
{
    if (leased(client))
        unconfigure(client);
    enter(client, DHCP_INIT, client->now + wait);
    if (!client->configured && client->fallback_at == 0)
        client->fallback_at = client->now + client->config.fallback_after;
}

static void begin_exchange(struct dhcp_client *client, enum dhcp_state state)
{
    enter(client, state, 0);
    client->started = client->now;
    client->xid = random_u32(client);
}

static void select_server(struct dhcp_client *client)
{
    begin_exchange(client, DHCP_SELECTING);
    memset(&client->wanted, 0, sizeof(client->wanted));
    discover(client);
    client->next = back_off(client);
}

/* init_reboot: asks whether the address that we have is still ours (3.2). */
static void init_reboot(struct dhcp_client *client)
{
    begin_exchange(client, DHCP_REBOOTING);
    client->wanted = client->lease;
    request(client);
    client->next = back_off(client);
}

static void bound(struct dhcp_client *client)
{
    enter(client, DHCP_BOUND, client->wanted.renew_at);
    configure(client, &client->wanted);
}

/* check: the address is new here, so ask the link before it is used (4.4.1). */
static void check(struct dhcp_client *client)
{
    bool known = leased(client) && ip_equal(&client->lease.address, &client->wanted.address);
    if (known || client->config.probe == NULL) {
        bound(client);
        return;
    }
    enter(client, DHCP_CHECKING, client->now);
}

static void decline(struct dhcp_client *client)
{
    client->xid = random_u32(client);
    enter(client, DHCP_INIT, 0); /* no longer the state in which the address is ours */
    send(client, DHCP_DECLINE);
    client->counters.declines++;
    restart(client, AFTER_DECLINE);
}

/* --- what arrives --- */

/* set_times: the lease's, from when the request was sent (4.4.5). What the server says of T1 and T2
 * must be in order; else they are a half and seven eighths. */
static void set_times(struct dhcp_client *client, const struct dhcp_reply *reply)
{
    struct dhcp_lease *lease = &client->wanted;
    uint64_t total = reply->lease_time, renewal = reply->renewal_time,
             rebinding = reply->rebinding_time;

    lease->renew_at = lease->rebind_at = lease->expires_at = 0;
    if (total == DHCP_FOREVER)
        return;
    if (renewal == 0 || rebinding == 0 || renewal > rebinding || rebinding > total) {
        renewal = total / 2;
        rebinding = total * 7 / 8;
    }
    lease->renew_at = client->requested + renewal * SECOND;
    lease->rebind_at = client->requested + rebinding * SECOND;
    lease->expires_at = client->requested + total * SECOND;
}

static void take_offer(struct dhcp_client *client, const struct dhcp_reply *reply)
{
    client->wanted = reply->lease;
    enter(client, DHCP_REQUESTING, 0);
    request(client);
    client->next = back_off(client);
}

static void take_ack(struct dhcp_client *client, const struct dhcp_reply *reply)
{
    client->wanted = reply->lease;
    set_times(client, reply);
    if (client->wanted.expires_at != 0 && client->wanted.expires_at <= client->now) {
        restart(client, AFTER_NAK);
        return;
    }
    check(client);
}

/* expected: is this an answer that this state waits for? */
static bool expected(const struct dhcp_client *client, const struct dhcp_reply *reply)
{
    const struct dhcp_lease *wanted = &client->wanted;
    switch (client->state) {
    case DHCP_SELECTING:
        return reply->type == DHCP_OFFER;
    case DHCP_REQUESTING:
        return ip_equal(&reply->lease.server, &wanted->server) &&
               (reply->type == DHCP_NAK ||
                (reply->type == DHCP_ACK && ip_equal(&reply->lease.address, &wanted->address)));
    case DHCP_REBOOTING:
    case DHCP_RENEWING:
    case DHCP_REBINDING:
        return reply->type == DHCP_NAK ||
               (reply->type == DHCP_ACK && ip_equal(&reply->lease.address, &wanted->address));
    default:
        return false;
    }
}

static void input(struct dhcp_client *client, const uint8_t *data, size_t length)
{
    struct dhcp_reply reply;

    client->counters.received++;
    if (!dhcp_parse(data, length, &reply) || reply.xid != client->xid ||
        memcmp(reply.mac, client->netif->mac, MAC_SIZE) != 0 || !expected(client, &reply)) {
        client->counters.ignored++;
        return;
    }
    switch (reply.type) {
    case DHCP_OFFER:
        take_offer(client, &reply);
        break;
    case DHCP_ACK:
        take_ack(client, &reply);
        break;
    default:
        client->counters.naks++;
        restart(client, AFTER_NAK);
        break;
    }
}

static void receive(struct dhcp_client *client)
{
    uint8_t bytes[DHCP_MESSAGE_MAX];

    for (unsigned i = 0; i < DATAGRAMS; i++) {
        struct socket_message message = {.flags = SOCKET_DONTWAIT};
        int64_t length = socket_receive_memory(client->socket, bytes, sizeof(bytes), &message);
        if (length == -EAGAIN) {
            client->readable = false;
            return;
        }
        if (length >= 0 && message.peer.port == DHCP_SERVER_PORT)
            input(client, bytes, (size_t)length);
    }
}

/* --- what is due --- */

static void probe_or_bind(struct dhcp_client *client)
{
    if (client->attempts == PROBES) {
        bound(client);
        return;
    }
    client->attempts++;
    client->next = client->now + PROBE_WAIT;
    client->config.probe(client->config.context, &client->wanted.address);
}

/* retry: the same again, or, when that has been tried often enough, something else. */
static void retry(struct dhcp_client *client)
{
    unsigned most = client->state == DHCP_REBOOTING ? REBOOT_ATTEMPTS : REQUEST_ATTEMPTS;

    if (client->state == DHCP_SELECTING) {
        discover(client);
    } else if (client->attempts < most) {
        request(client);
    } else if (client->state == DHCP_REBOOTING) {
        /* nobody answers, and the lease has not run out: go on with it (3.2, 3.) */
        enter(client, DHCP_BOUND, client->lease.renew_at);
        return;
    } else {
        restart(client, 0);
        return;
    }
    client->next = back_off(client);
}

static void renew(struct dhcp_client *client)
{
    if (client->state == DHCP_BOUND) {
        begin_exchange(client, DHCP_RENEWING);
        client->wanted = client->lease;
    }
    if (client->state == DHCP_RENEWING && client->now >= client->lease.rebind_at)
        enter(client, DHCP_REBINDING, 0);
    request(client);
    client->next = renew_retry(client, client->state == DHCP_RENEWING ? client->lease.rebind_at
                                                                      : client->lease.expires_at);
}

static void due(struct dhcp_client *client)
{
    switch (client->state) {
    case DHCP_INIT:
        select_server(client);
        break;
    case DHCP_SELECTING:
    case DHCP_REQUESTING:
    case DHCP_REBOOTING:
        retry(client);
        break;
    case DHCP_CHECKING:
        probe_or_bind(client);
        break;
    case DHCP_BOUND:
    case DHCP_RENEWING:
    case DHCP_REBINDING:
        renew(client);
        break;
    case DHCP_STOPPED:
        break;
    }
}

/* expire: the lease is over; without a link there is nobody to ask for another one. */
static void expire(struct dhcp_client *client)
{
    if (client->netif->link)
        restart(client, 0);
    else
        unconfigure(client);
}

static bool reached(uint64_t moment, uint64_t now) { return moment != 0 && moment <= now; }

void dhcp_poll(struct dhcp_client *client, uint64_t now)
{
    client->now = now;
    if (client->readable)
        receive(client);
    if (leased(client) && reached(client->lease.expires_at, now))
        expire(client);
    if (reached(client->next, now))
        due(client);
    if (reached(client->fallback_at, now))
        configure(client, client->config.fallback);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

uint64_t dhcp_deadline(const struct dhcp_client *client)
{
    if (client->state == DHCP_STOPPED)
        return 0;
    if (client->readable)
        return 1;
    uint64_t deadline = earlier(client->next, client->fallback_at);
    return leased(client) ? earlier(deadline, client->lease.expires_at) : deadline;
}

/* --- from outside --- */

static void notified(struct socket *socket, unsigned events)
{
    struct dhcp_client *client = socket->owner;
    if (events & (SOCKET_READABLE | SOCKET_ERROR))
        client->readable = true;
}

int dhcp_start(struct dhcp_client *client, struct stack *stack, struct netif *netif,
               const struct dhcp_config *config)
{
    const struct endpoint local = {ip_any(IP_V4), DHCP_CLIENT_PORT, netif->index};
    struct socket *socket;

    int error = socket_create(stack, IP_V4, SOCKET_DATAGRAM, 0, &socket);
    if (error != 0)
        return error;
    socket->broadcast = true;
    socket->bound_interface = netif->index;
    error = socket_bind(socket, &local);
    if (error != 0) {
        socket_close(socket);
        return error;
    }
    *client = (struct dhcp_client){
        .config = *config, .stack = stack, .netif = netif, .socket = socket, .now = stack->now};
    if (config->fallback == NULL)
        client->config.fallback = dhcp_fallback();
    if (config->fallback_after == 0)
        client->config.fallback_after = FALLBACK_AFTER;
    socket->owner = client;
    socket->notify = notified;
    restart(client, 0);
    return 0;
}

void dhcp_stop(struct dhcp_client *client)
{
    if (client->state == DHCP_STOPPED)
        return;
    if (leased(client)) {
        client->wanted = client->lease;
        send(client, DHCP_RELEASE);
    }
    unconfigure(client);
    socket_close(client->socket);
    client->socket = NULL;
    client->state = DHCP_STOPPED;
}

void dhcp_link(struct dhcp_client *client, bool up, uint64_t now)
{
    if (client->state == DHCP_STOPPED)
        return;
    client->now = now;
    if (!up) {
        enter(client, DHCP_INIT, 0);
        client->fallback_at = 0;
    } else if (leased(client)) {
        init_reboot(client);
    } else {
        restart(client, 0);
    }
}

void dhcp_conflict(struct dhcp_client *client, const struct ip_address *address, uint64_t now)
{
    if (client->state == DHCP_STOPPED)
        return;
    client->now = now;
    if (client->state == DHCP_CHECKING && ip_equal(address, &client->wanted.address)) {
        client->counters.conflicts++;
        decline(client);
    } else if (leased(client) && ip_equal(address, &client->lease.address)) {
        uint64_t last = client->conflict;
        client->counters.conflicts++;
        client->conflict = now;
        if (last == 0 || now - last > DEFEND_INTERVAL)
            return;
        client->wanted = client->lease;
        decline(client);
    }
}

const struct dhcp_lease *dhcp_fallback(void)
{
    static const struct dhcp_lease qemu = {
        .address = {.family = IP_V4, .bytes = {10, 0, 2, 15}},
        .prefix = 24,
        .fallback = true,
        .routers = {{.family = IP_V4, .bytes = {10, 0, 2, 2}}},
        .name_servers = {{.family = IP_V4, .bytes = {10, 0, 2, 3}}},
        .router_count = 1,
        .name_server_count = 1,
    };
    return &qemu;
}

const char *dhcp_state_name(enum dhcp_state state)
{
    static const char *const names[] = {
        [DHCP_STOPPED] = "STOPPED",     [DHCP_INIT] = "INIT",
        [DHCP_SELECTING] = "SELECTING", [DHCP_REQUESTING] = "REQUESTING",
        [DHCP_REBOOTING] = "REBOOTING", [DHCP_CHECKING] = "CHECKING",
        [DHCP_BOUND] = "BOUND",         [DHCP_RENEWING] = "RENEWING",
        [DHCP_REBINDING] = "REBINDING",
    };
    return names[state];
}
