/* What lab 8 asks of the stack beyond what the driver of all labs knows: the calls of streams, and
 * the parts of TCP by themselves, through what their headers promise. Sequence numbers count from
 * the connection's ISS. */
#include "../../lab7/host/driver.h"
#include "netd/stack/tcp/connection.h"
#include "netd/stack/tcp/send/send.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tcb *connection(void) { return tcb_of(*place()); }

/* ---- Calls ----------------------------------------------------------------------------------- */

/* listen S BACKLOG */
static void do_listen(void)
{
    struct socket *socket = *place();
    printf("result %d\n", socket_listen(socket, (int)number()));
}

/* accept S NEW */
static void do_accept(void)
{
    struct socket *socket = *place();
    struct socket **new = place();
    printf("result %d\n", socket_accept(socket, new));
}

/* shutdown S: no more will be sent */
static void do_shutdown(void) { printf("result %d\n", socket_shutdown(*place(), false, true)); }

/* option S LEVEL OPTION VALUE */
static void do_option(void)
{
    struct socket *socket = *place();
    const int level = (int)number(), option = (int)number(), value = (int)number();
    printf("result %d\n", socket_set_option(socket, level, option, &value, sizeof value));
}

/* congestion S NAME */
static void do_congestion(void)
{
    struct socket *socket = *place();
    const char *name = word();
    printf("result %d\n",
           socket_set_option(socket, LEVEL_TCP, OPTION_TCP_CONGESTION, name, strlen(name)));
}

/* state S: what the program would be told, and where the connection is */
static void do_state(void)
{
    const struct tcb *tcb = connection();
    printf("%s error %d una %u wnd %u cwnd %u ssthresh %u rto %" PRIu64 "\n",
           tcp_state_name(tcb->state), -tcb->socket.error, tcb->snd.una - tcb->snd.iss,
           tcb->snd.wnd, tcb->congestion.cwnd, tcb->congestion.ssthresh, tcb->rto / NS_PER_US);
}

/* destroy: the stack with all that it holds */
static void do_destroy(void) { stack_destroy(stack); }

/* ---- Parts ----------------------------------------------------------------------------------- */

/* options HEX: of a header with these options; they end where their memory does. */
static void do_options(void)
{
    const size_t length = hex();
    uint8_t *header = calloc(1, TCP_HEADER + length);
    struct segment segment;
    memcpy(header + TCP_HEADER, bytes, length);
    segment_parse(&segment, header, TCP_HEADER + length, 0);
    free(header);
    const struct tcp_options *options = &segment.options;
    printf("mss %u ws %d sack %d", options->mss,
           options->window_scaling ? options->window_scale : -1, options->sack_permitted);
    if (options->timestamps)
        printf(" ts %" PRIu32 " %" PRIu32, options->ts_value, options->ts_echo);
    for (uint8_t i = 0; i < options->sack_count; i++)
        printf(" %" PRIu32 "-%" PRIu32, options->sack[i].left, options->sack[i].right);
    printf("\n");
}

/* rto STEP...: a number is a sample in us; b backs off, f forgives. The RTO in us after each. */
static void do_rto(void)
{
    static struct tcb tcb;
    tcb = (struct tcb){.rto = TCP_RTO_INITIAL};
    for (const char *step; (step = strtok(NULL, " \n"));) {
        if (*step == 'b')
            rto_back_off(&tcb);
        else if (*step == 'f')
            rto_forgive(&tcb);
        else
            rto_sample(&tcb, strtoull(step, NULL, 0) * NS_PER_US);
        printf("%" PRIu64 " ", tcb.rto / NS_PER_US);
    }
    printf("\n");
}

/* reno MSS STEP...: aN: N octets were acknowledged; lN: a loss with N octets on their way; tN: a
 * timeout. cwnd and ssthresh after each. */
static void do_reno(void)
{
    struct congestion congestion;
    congestion_start(&congestion, &newreno, (uint32_t)number());
    for (const char *step; (step = strtok(NULL, " \n"));) {
        const uint32_t octets = (uint32_t)strtoul(step + 1, NULL, 0);
        if (*step == 'a')
            congestion_acked(&congestion, octets, 0, 0);
        else if (*step == 't')
            congestion_timeout(&congestion, octets);
        else
            congestion.cwnd = congestion.ssthresh = newreno.threshold(&congestion, octets);
        printf("%u/%u ", congestion.cwnd, congestion.ssthresh);
    }
    printf("\n");
}

/* ---- The scoreboard -------------------------------------------------------------------------- */

static uint32_t sequence(const struct tcb *tcb, const char *text, const char **rest)
{
    char *after;
    const uint32_t number = (uint32_t)strtoll(text, &after, 0);
    *rest = after;
    return tcb->snd.iss + number;
}

/* board S ACK L-R...: an ACK with these blocks; then the pipe and, of each packet that was sent,
 * its number: "x" in front if it is lost. */
static void do_board(void)
{
    struct tcb *tcb = connection();
    struct segment segment = {.flags = TCP_ACK};
    const char *rest;
    segment.ack = sequence(tcb, word(), &rest);
    for (const char *block; (block = strtok(NULL, " \n"));) {
        struct sack_block *to = &segment.options.sack[segment.options.sack_count++];
        to->left = sequence(tcb, block, &rest);
        to->right = sequence(tcb, rest + 1, &rest);
    }
    const bool news = sack_update(tcb, &segment);
    sack_find_lost(tcb);
    sack_set_pipe(tcb);
    printf("news %d pipe %u lost", news, tcb->pipe);
    for (const struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept)
        if (!(p->word[SENT_MARKS] & SENT_SACKED) && sack_is_lost(tcb, p->word[SENT_SEQ]))
            printf(" %u", p->word[SENT_SEQ] - tcb->snd.iss);
    printf("\n");
}

/* next S HOW: NextSeg, with HighRxt at SND.UNA first; HOW "fast": in fast recovery. What it names
 * counts as sent again, until it names none, something new, or `most` packets. */
static void do_next(void)
{
    enum { MOST = 64 };
    struct tcb *tcb = connection();
    tcb->recovery = strcmp(word(), "fast") == 0 ? RECOVERY_FAST : RECOVERY_TIMEOUT;
    tcb->high_rxt = tcb->snd.una;
    tcb->rescued = false;
    printf("next");
    for (int i = 0; i < MOST; i++) {
        const struct packet *packet = sack_next_seg(tcb);
        if (!packet || packet == tcb->send.unsent) {
            printf(packet ? " new" : " none");
            break;
        }
        printf(" %u", packet->word[SENT_SEQ] - tcb->snd.iss);
        if (seq_lt(packet->word[SENT_SEQ], seq_max(tcb->lost_below, tcb->high_sacked)))
            tcb->high_rxt = seq_max(tcb->high_rxt, sent_end(packet));
    }
    sack_set_pipe(tcb);
    printf(" pipe %u\n", tcb->pipe);
}

int main(void)
{
    static const struct command commands[] = {
        {"listen", do_listen},
        {"accept", do_accept},
        {"shutdown", do_shutdown},
        {"option", do_option},
        {"congestion", do_congestion},
        {"state", do_state},
        {"destroy", do_destroy},
        {"options", do_options},
        {"rto", do_rto},
        {"reno", do_reno},
        {"board", do_board},
        {"next", do_next},
        {NULL, NULL},
    };
    return drive(commands);
}
