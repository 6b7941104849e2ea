/* Large sends: what TCP gives to a device that cuts frames itself. */
#include "../../test/check.h"
#include "../../wire/cursor.h"
#include "../connection.h"
#include "../send/send.h"
#include "talk.h"
#include "talk_openings.h"

/* What the device was given. It holds a frame until device_done. */
static struct packet *frames[8];
static unsigned frame_count;

static void take_frame(struct host *host, const struct ip_send *send, struct packet *packet)
{
    (void)host;
    (void)send;
    if (frame_count < 8)
        frames[frame_count++] = packet;
}

static void device_done(struct talk *talk)
{
    for (unsigned i = 0; i < frame_count; i++)
        packet_release(talk->host.stack.pool, frames[i]);
    frame_count = 0;
}

/* check_frame: frame i holds the text from `position` on in so many pieces; a single segment has it
 * behind its headers. */
static void check_frame(const struct talk *talk, unsigned i, uint32_t position, unsigned pieces)
{
    CHECK(i < frame_count, "%u frames", frame_count);
    if (i >= frame_count)
        return;
    const struct packet *frame = frames[i];
    struct cursor header = cursor_over(frame->data + frame->start + 4, 4);
    CHECK(cursor_u32(&header) == talk->iss[2000] + 1 + position, "sequence number");
    CHECK(frame->flags & PACKET_CHECKSUM);
    CHECK(frame->segment_size == (pieces > 1 ? 1000 : 0), "%u", frame->segment_size);
    CHECK(packet_total(frame) == TCP_HEADER + 1000 * pieces, "%u octets", packet_total(frame));
    for (uint32_t at = 0; at < 1000 * pieces; at++) {
        uint8_t octet = 0;
        packet_read(frame, TCP_HEADER + at, &octet, 1);
        CHECK(octet == pattern(position + at), "octet %u", position + at);
    }
}

/* Ten segments are the initial window. */
static void start(struct talk *talk, unsigned offloads)
{
    talk_start(talk);
    talk_say(talk, CONNECT);
    talk->host.netif.offloads = offloads;
    CHECK(tcb_route(talk_tcb(talk)) == 0);
    talk->host.sent = take_frame;
}

static void end(struct talk *talk)
{
    device_done(talk);
    talk_end(talk);
}

static void test_one_frame(void)
{
    struct talk t;
    start(&t, NETIF_CHECKSUM | NETIF_SEGMENT_V4);
    talk_say(&t, "send 20000\n");
    CHECK(frame_count == 1, "%u frames", frame_count);
    check_frame(&t, 0, 0, 10);
    device_done(&t);
    talk_say(&t, "< A 1:0 ack=10001\n");
    CHECK(frame_count == 2, "%u frames", frame_count);
    check_frame(&t, 0, 10000, 9);
    check_frame(&t, 1, 19000, 1); /* the last says PSH, and could be short */
    end(&t);
}

static void test_only_where_offered(void)
{
    struct talk t;
    start(&t, NETIF_CHECKSUM | NETIF_SEGMENT_V6);
    talk_say(&t, "send 3000\n");
    CHECK(frame_count == 3, "%u frames", frame_count);
    check_frame(&t, 0, 0, 1);
    end(&t);
}

static void test_window(void)
{
    struct talk t;
    start(&t, NETIF_CHECKSUM | NETIF_SEGMENT_V4);
    talk_say(&t, "< A 1:0 ack=1 win=3500\n"
                 "send 20000\n");
    CHECK(frame_count == 1, "%u frames", frame_count);
    check_frame(&t, 0, 0, 3);
    end(&t);
}

static void test_still_in_the_device(void)
{
    struct talk t;
    start(&t, NETIF_CHECKSUM | NETIF_SEGMENT_V4);
    talk_say(&t, "send 5000\n+1000\n");
    CHECK(frame_count == 2, "sent again, but it had not left");
    /* What is acknowledged meanwhile stays with the device until it is done. */
    talk_say(&t, "< A 1:0 ack=3001\n");
    check_frame(&t, 0, 0, 4);
    device_done(&t);
    talk_say(&t, "+1200\n");
    CHECK(frame_count == 1, "%u frames", frame_count);
    check_frame(&t, 0, 3000, 1);
    end(&t);
}

static void test_full_interface(void)
{
    struct talk t;
    start(&t, NETIF_CHECKSUM | NETIF_SEGMENT_V4);
    talk_say(&t, "full on\nsend 20000\nfull off\n");
    CHECK(frame_count == 0 && talk_tcb(&t)->snd.nxt == talk_tcb(&t)->snd.una);
    talk_say(&t, "+2\n");
    CHECK(frame_count == 1, "%u frames", frame_count);
    check_frame(&t, 0, 0, 10);
    end(&t);
}

static void test_urgent(void)
{
    struct talk t;
    start(&t, NETIF_CHECKSUM | NETIF_SEGMENT_V4);
    talk_say(&t, "oob 3000\n"); /* the pointer counts from each segment's own number */
    CHECK(frame_count == 3, "%u frames", frame_count);
    end(&t);
}

int main(void)
{
    static const struct test tests[] = {
        {"one frame", test_one_frame},
        {"only where offered", test_only_where_offered},
        {"window", test_window},
        {"still in the device", test_still_in_the_device},
        {"full interface", test_full_interface},
        {"urgent", test_urgent},
    };
    return RUN_TESTS(tests);
}
