/* Who a segment is for: connections by their four-tuple, listeners by their port. The hash is
 * universal under a secret key, so that nobody can choose addresses that share a bucket. */
#include "table.h"
#include "tcp.h"
#include <string.h>

/* Two words of an address, whatever its family (unused bytes are 0). */
static void address_words(const struct ip_address *address, uint64_t words[2])
{
    memcpy(words, address->bytes, sizeof address->bytes);
}

uint32_t table_hash(const struct tcp_layer *layer, const struct ip_address *local,
                    uint16_t local_port, const struct ip_address *peer, uint16_t peer_port)
{
    const uint64_t *key = layer->hash_key;
    uint64_t a[2], b[2];
    address_words(local, a);
    address_words(peer, b);
    uint64_t sum = key[0] + ((uint64_t)local_port << 16 | peer_port) * (key[1] | 1);
    sum = (sum ^ a[0] ^ sum >> 32) * (key[2] | 1);
    sum = (sum ^ a[1] ^ sum >> 32) * (key[3] | 1);
    sum = (sum ^ b[0] ^ sum >> 32) * (key[4] | 1);
    sum = (sum ^ b[1] ^ sum >> 32) * (key[5] | 1);
    return (uint32_t)(sum >> 32);
}

static struct tcb **bucket_of(struct tcp_layer *layer, const struct endpoint *local,
                              const struct endpoint *peer)
{
    const uint32_t hash =
        table_hash(layer, &local->address, local->port, &peer->address, peer->port);
    return &layer->buckets[hash & layer->bucket_mask];
}

struct tcb *table_find(struct tcp_layer *layer, const struct ip_address *local, uint16_t local_port,
                       const struct ip_address *peer, uint16_t peer_port)
{
    const uint32_t hash = table_hash(layer, local, local_port, peer, peer_port);
    struct tcb *tcb = layer->buckets[hash & layer->bucket_mask];
    for (; tcb; tcb = tcb->next)
        if (tcb->socket.peer.port == peer_port && tcb->socket.local.port == local_port &&
            ip_equal(&tcb->socket.peer.address, peer) &&
            ip_equal(&tcb->socket.local.address, local))
            return tcb;
    return NULL;
}

void table_insert(struct tcb *tcb)
{
    struct tcb **link = tcb->state == TCP_LISTEN
                            ? &tcb->layer->listeners
                            : bucket_of(tcb->layer, &tcb->socket.local, &tcb->socket.peer);
    tcb->next = *link;
    *link = tcb;
    tcb->hashed = true;
}

void table_remove(struct tcb *tcb)
{
    if (!tcb->hashed)
        return;
    struct tcb **link = tcb->state == TCP_LISTEN
                            ? &tcb->layer->listeners
                            : bucket_of(tcb->layer, &tcb->socket.local, &tcb->socket.peer);
    while (*link != tcb)
        link = &(*link)->next;
    *link = tcb->next;
    tcb->hashed = false;
}

/* serves: does the bound address take what is sent to `local`? An IPv6 socket that is not v6_only
 * and bound to :: also takes IPv4. */
static bool serves(const struct socket *socket, const struct ip_address *local)
{
    const struct ip_address *bound = &socket->local.address;
    if (!ip_is_any(bound))
        return ip_equal(bound, local);
    return socket->family == local->family || (socket->family == IP_V6 && !socket->v6_only);
}

/* How well a listener fits: an address of its own counts most, then its family. */
static unsigned specificity(const struct socket *socket, const struct ip_address *local)
{
    return (ip_is_any(&socket->local.address) ? 0 : 4) + (socket->bound_interface ? 2 : 0) +
           (socket->family == local->family ? 1 : 0);
}

struct tcb *listener_find(struct tcp_layer *layer, const struct ip_address *local, uint16_t port,
                          unsigned interface)
{
    struct tcb *best = NULL;
    for (struct tcb *tcb = layer->listeners; tcb; tcb = tcb->next) {
        const struct socket *socket = &tcb->socket;
        if (socket->local.port != port || !serves(socket, local) ||
            (socket->bound_interface && socket->bound_interface != interface))
            continue;
        if (!best || specificity(socket, local) > specificity(&best->socket, local))
            best = tcb;
    }
    return best;
}

/* overlap: is there an address that both would take? */
static bool overlap(const struct socket *a, const struct endpoint *local, const struct socket *b)
{
    const struct ip_address *x = &local->address, *y = &b->local.address;
    if (!ip_is_any(x) && !ip_is_any(y))
        return ip_equal(x, y);
    if (!ip_is_any(x))
        return serves(b, x);
    const bool both = a->family == b->family;
    const bool dual = (a->family == IP_V6 && !a->v6_only) || (b->family == IP_V6 && !b->v6_only);
    return both || dual;
}

/* may_share: SO_REUSEADDR of both lets them share a port, unless one listens. */
static bool may_share(const struct socket *socket, const struct tcb *other)
{
    return socket->reuse_address && other->socket.reuse_address && other->state != TCP_LISTEN;
}

bool port_taken(struct tcp_layer *layer, const struct tcb *tcb, const struct endpoint *local)
{
    for (uint32_t i = 0; i < layer->touched; i++) {
        const struct tcb *other = &layer->pool[i];
        if (other != tcb && other->in_use && other->socket.local.port == local->port &&
            overlap(&tcb->socket, local, &other->socket) && !may_share(&tcb->socket, other))
            return true;
    }
    if (tcb->socket.reuse_address)
        return false;
    for (const struct time_wait *w = layer->time_wait.oldest; w; w = w->newer)
        if (w->local_port == local->port &&
            (ip_is_any(&local->address) || ip_equal(&local->address, &w->local)))
            return true;
    return false;
}
