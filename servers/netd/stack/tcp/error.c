/* What ICMP says about a connection: believed only when it quotes a segment that is on its way
 * (RFC 5927 4.1), and ends one only while it is being opened (RFC 1122 4.2.3.9). */
#include "../wire/cursor.h"
#include "connection.h"
#include "input.h"
#include "send/send.h"
#include "table.h"
#include "tcp.h"
#include <errno.h>

/* find: the connection that the quoted segment belongs to, if its number is outstanding. */
static struct tcb *find(struct tcp_layer *layer, const struct ip_error *error)
{
    struct cursor quoted = cursor_over(error->transport, error->transport_length);
    const uint16_t source = cursor_u16(&quoted), destination = cursor_u16(&quoted);
    const uint32_t seq = cursor_u32(&quoted);
    if (!cursor_ok(&quoted))
        return NULL;
    struct tcb *tcb = table_find(layer, &error->source, source, &error->destination, destination);
    if (!tcb || seq - tcb->snd.una >= tcb->snd.nxt - tcb->snd.una)
        return NULL;
    return tcb;
}

/* Smaller segments, beginning with those that did not get through (RFC 1191 6.4). */
static void too_big(struct tcb *tcb, uint16_t mtu)
{
    if (mtu >= tcb->mtu)
        return;
    tcb->mtu = mtu;
    tcb_set_mss(tcb);
    if (synchronized(tcb)) {
        recovery_resend(tcb);
        tcb_output(tcb);
    }
}

bool tcp_error(struct stack *stack, const struct ip_error *error)
{
    struct tcb *tcb = find(stack->tcp, error);
    if (!tcb) {
        stack->tcp->counters.icmp_ignored++;
        return false;
    }
    if (error->kind == IP_TOO_BIG)
        too_big(tcb, error->mtu);
    else if (error->hard && !synchronized(tcb))
        tcb_finish(tcb, error->error);
    else
        tcb->soft_error = error->error;
    return true;
}
