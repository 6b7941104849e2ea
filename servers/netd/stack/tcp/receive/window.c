/* The window that we offer: as much as the buffer holds, never less than was offered before, and
 * not in silly steps (RFC 9293 3.8.6.2.2). */
#include "../send/send.h"
#include "../tcp.h"
#include "receive.h"

/* When packets become few, nobody gets more than this at a time. */
#define SCARCE_WINDOW 4u /* segments */

static uint32_t buffer_space(const struct tcb *tcb)
{
    const struct stack *stack = tcb_stack(tcb);
    const uint32_t buffer = tcb->socket.receive_buffer, used = tcb->receive.bytes;
    const uint32_t scarce = SCARCE_WINDOW * tcb->mss;
    const uint32_t space = buffer > used ? buffer - used : 0;
    if (stack->socket_packets > stack->config.socket_packets / 4 * 3 && space > scarce)
        return scarce;
    return space;
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

uint32_t receive_window(const struct tcb *tcb)
{
    uint32_t space = least(buffer_space(tcb), (uint32_t)UINT16_MAX << tcb->rcv.scale);
    const uint32_t step = least(tcb->socket.receive_buffer / 2, tcb->mss);
    return space >= tcb->rcv.wnd + step ? space : tcb->rcv.wnd;
}

/* Every ACK tells the window as well, so an extra one is only for a peer who may soon have to
 * wait, or has a lot to gain. */
void receive_window_update(struct tcb *tcb)
{
    const uint32_t buffer = tcb->socket.receive_buffer;
    const uint32_t gain = receive_window(tcb) - tcb->rcv.wnd;
    const bool closed = tcb->rcv.wnd >> tcb->rcv.scale == 0;
    if (gain >= buffer / 2 || (closed && gain > 0) ||
        (tcb->rcv.wnd < buffer / 4 && gain >= 2u * tcb->mss))
        tcb_ack(tcb);
}
