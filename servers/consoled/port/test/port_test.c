/* Host test of a port: readers that wait, die, and are interrupted; writers with back-pressure;
 * input that nobody reads yet. Clients are entries of a table, their tokens the indices. */
#include "consoled/port/port.h"

#include "abi/errno.h"
#include "check.h"
#include "proto/console.h"
#include "proto/fs.h"
#include "proto/process.h"
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 100 };

static struct {
    char window[100000];
    int64_t result;
    unsigned replies;
    bool dead;      /* copies and replies get ESTALE */
    bool dies_late; /* the copy still succeeds, the reply not */
    bool fault;     /* its window cannot be written */
} clients[CLIENTS];

static int signals[8];
static unsigned signal_count;
static bool replied_before_signal;
static struct port port;
static struct line_discipline line;

static int copy_in(uint64_t token, uint64_t offset, void *buffer, size_t length)
{
    CHECK(offset + length <= sizeof clients[token].window);
    if (clients[token].dead)
        return -ESTALE;
    memcpy(buffer, clients[token].window + offset, length);
    return 0;
}

static int copy_out(uint64_t token, uint64_t offset, const void *buffer, size_t length)
{
    CHECK(offset + length <= sizeof clients[token].window);
    if (clients[token].dead)
        return -ESTALE;
    if (clients[token].fault)
        return -EFAULT;
    memcpy(clients[token].window + offset, buffer, length);
    return 0;
}

static int reply(uint64_t token, int64_t result)
{
    if (clients[token].dead || clients[token].dies_late)
        return -ESTALE;
    clients[token].result = result;
    clients[token].replies++;
    if (result == -EINTR && signal_count == 0)
        replied_before_signal = true;
    return 0;
}

static bool waits(uint64_t token) { return !clients[token].dead; }

static void on_signal(struct port *p, int signal)
{
    CHECK(p == &port);
    if (signal_count < 8)
        signals[signal_count++] = signal;
}

static void given(const struct port *from, uint64_t token, size_t n)
{
    (void)from;
    CHECK(token < CLIENTS && n <= PORT_READ_MAX);
}

static void written(uint64_t token, uint64_t done) { CHECK(token < CLIENTS && done > 0); }

static const struct port_backend backend = {copy_in,   copy_out, reply,  waits,
                                            on_signal, given,    written};

static void setup(bool terminal)
{
    memset(clients, 0, sizeof clients);
    signal_count = 0;
    replied_before_signal = false;
    line_init(&line, CON_MODE_COOKED);
    port_init(&port, &backend, terminal ? &line : NULL);
    cursor_init(&port.cursor, 25, 80);
}

static void type(const char *text)
{
    size_t length = strlen(text);
    CHECK(length <= port_room(&port));
    port_receive(&port, text, length);
}

/* Everything that the driver can get now, as a string. */
static const char *output(void)
{
    static char text[200000];
    size_t length = 0, n;
    while ((n = port_output(&port, text + length, 64)) > 0) {
        CHECK(n <= 64);
        length += n;
        port_answer(&port);
        port_work(&port);
    }
    text[length] = '\0';
    return text;
}

static int64_t read_now(unsigned client, uint64_t length)
{
    clients[client].replies = 0;
    int64_t result = port_read(&port, client, client, length, false);
    return result == PORT_DEFERRED && clients[client].replies ? clients[client].result : result;
}

static bool got(unsigned client, const char *text)
{
    return clients[client].replies == 1 && clients[client].result == (int64_t)strlen(text) &&
           memcmp(clients[client].window, text, strlen(text)) == 0;
}

static void test_terminal_read(void)
{
    setup(true);
    CHECK(read_now(0, 100) == PORT_DEFERRED);
    type("hel");
    CHECK(clients[0].replies == 0);
    type("lo\r");
    CHECK(got(0, "hello\n"));
    CHECK(strcmp(output(), "hello\r\n") == 0);
    type("one\rtwo\r");
    CHECK(read_now(1, 100) == 4 && got(1, "one\n"));
    CHECK(port_poll(&port) == (FS_POLL_IN | FS_POLL_OUT));
    CHECK(read_now(1, 2) == 2 && memcmp(clients[1].window, "tw", 2) == 0);
    CHECK(read_now(1, 100) == 2 && memcmp(clients[1].window, "o\n", 2) == 0);
    CHECK(port_poll(&port) == FS_POLL_OUT);
    CHECK(port_read(&port, 1, 1, 100, true) == -EAGAIN);
    CHECK(port_read(&port, 1, 1, 0, false) == 0);
    type("\004");
    CHECK(read_now(1, 100) == 0);
    CHECK(port_read(&port, 1, 1, 100, true) == -EAGAIN); /* one end of file, one read */
}

static void test_share_of_a_client(void)
{
    setup(true);
    for (unsigned i = 0; i < PORT_A_CLIENT; i++)
        CHECK(port_read(&port, 7, i, 100, false) == PORT_DEFERRED);
    CHECK(port_read(&port, 7, 30, 100, false) == -EAGAIN);
    CHECK(port_read(&port, 8, 31, 100, false) == PORT_DEFERRED);
    for (unsigned i = 0; i < PORT_A_CLIENT; i++)
        CHECK(port_write(&port, 7, 40 + i, 2, 0, NULL, 2, false) == PORT_DEFERRED);
    CHECK(port_write(&port, 7, 70, 2, 0, NULL, 2, false) == -EAGAIN);
    CHECK(port_write(&port, 8, 71, 2, 0, NULL, 2, false) == PORT_DEFERRED);
}

static void test_several_readers(void)
{
    setup(true);
    for (unsigned i = 0; i < 3; i++)
        CHECK(read_now(i, 100) == PORT_DEFERRED);
    CHECK(port_read(&port, 9, 9, 100, true) == -EAGAIN);
    type("a\rb\r");
    CHECK(got(0, "a\n") && got(1, "b\n") && clients[2].replies == 0);
    type("c\r");
    CHECK(got(2, "c\n"));
    for (unsigned i = 0; i < PORT_READERS; i++)
        CHECK(read_now(i, 100) == PORT_DEFERRED);
    CHECK(read_now(90, 100) == -EAGAIN);
    clients[5].dead = clients[63].dead = true; /* room for two again */
    CHECK(read_now(90, 100) == PORT_DEFERRED);
    CHECK(read_now(91, 100) == PORT_DEFERRED);
    CHECK(read_now(92, 100) == -EAGAIN);
    for (unsigned i = 0; i < PORT_READERS; i++) {
        type("x\r");
        output();
    }
    for (unsigned i = 0; i < PORT_READERS - 1; i++)
        CHECK(clients[i].replies == (i == 5 ? 0 : 1));
    CHECK(got(90, "x\n") && got(91, "x\n"));
}

/* Input for a reader who is gone goes to the next, whole and once, and so does an end of file. */
static void test_dead_readers(void)
{
    setup(true);
    read_now(0, 100);
    read_now(1, 100);
    read_now(2, 100);
    read_now(3, 3);
    clients[0].dead = true;
    clients[1].dies_late = true;
    clients[2].fault = true;
    type("line\r");
    CHECK(clients[0].replies == 0 && clients[1].replies == 0);
    CHECK(clients[2].replies == 1 && clients[2].result == -EFAULT);
    CHECK(got(3, "lin"));
    CHECK(read_now(4, 100) == 2 && memcmp(clients[4].window, "e\n", 2) == 0);

    setup(true);
    read_now(0, 100);
    clients[0].dead = true;
    type("line\r");
    CHECK(port_poll(&port) & FS_POLL_IN);
    CHECK(read_now(1, 100) == 5 && got(1, "line\n"));
    CHECK(port_read(&port, 2, 2, 5, true) == -EAGAIN);
    read_now(1, 100);
    read_now(2, 100);
    clients[1].dies_late = true;
    type("\004");
    CHECK(clients[2].replies == 1 && clients[2].result == 0);
}

static void test_interrupt(void)
{
    setup(true);
    type("old\rhalf");
    read_now(0, 2);
    CHECK(clients[0].result == 2);
    read_now(0, 10);
    read_now(1, 100);
    read_now(2, 100);
    type("more\003new\r");
    CHECK(signal_count == 1 && signals[0] == SIGNAL_INT && !replied_before_signal);
    CHECK(clients[1].result == -EINTR && clients[2].result == -EINTR);
    CHECK(read_now(3, 100) == 4 && got(3, "new\n"));
    type("\034");
    CHECK(signal_count == 2 && signals[1] == SIGNAL_QUIT);
    line_set_mode(&line, 0);
    type("\003");
    CHECK(signal_count == 2);
    CHECK(read_now(3, 100) == 1 && clients[3].window[0] == 3);
}

/* What was taken for a reader that died does not survive ^C: it was typed before. */
static void test_interrupt_held(void)
{
    setup(true);
    read_now(0, 100);
    clients[0].dead = true;
    type("line\r");
    CHECK(port_poll(&port) & FS_POLL_IN);
    type("\003");
    CHECK(port_read(&port, 1, 1, 100, true) == -EAGAIN);
}

/* While nobody takes the echo, no more is typed into the line discipline than it can show. */
static void test_echo_flow(void)
{
    static char expected[20000];
    size_t length = 0;
    setup(true);
    for (unsigned i = 0; i < 30; i++) {
        char text[240];
        size_t n = (size_t)sprintf(text, "%0200u\r", i);
        port_receive(&port, text, n);
        memcpy(expected + length, text, n);
        expected[length + n] = '\n';
        length += n + 1;
        while (port_read(&port, 0, 0, 300, true) == PORT_DEFERRED)
            ;
    }
    CHECK(port_room(&port) < PORT_INPUT);
    CHECK(strcmp(output(), expected) == 0);
}

/* ^C is found although the line discipline and the port's own buffer are full of lines. */
static void test_interrupt_full(void)
{
    setup(true);
    for (unsigned i = 0; i < 500; i++) {
        type("x\r");
        output();
    }
    CHECK(port_room(&port) < PORT_INPUT); /* it holds what the discipline did not take */
    CHECK(signal_count == 0);
    type("\003");
    CHECK(signal_count == 1 && port_room(&port) == PORT_INPUT);
}

/* A script of many lines, piped in before anybody reads, arrives whole. */
static void test_early_input(void)
{
    static char script[60000], seen[60000];
    size_t length = 0, sent = 0, received = 0;
    setup(true);
    for (unsigned i = 0; length + 40 < sizeof script; i++)
        length += (size_t)sprintf(script + length, "line %u of the script%s\n", i,
                                  i % 7 ? "" : " .........");
    while (received < length) {
        size_t n = port_room(&port);
        n = length - sent < n ? length - sent : n;
        port_receive(&port, script + sent, n);
        sent += n;
        bool stuck = n == 0 || sent == length;
        if (output()[0] != '\0')
            stuck = false;
        if (stuck || rand() % 3 == 0) {
            int64_t result = port_read(&port, 0, 0, 1 + (unsigned)rand() % 5000, true);
            if (stuck && sent < length)
                CHECK(result == PORT_DEFERRED);
            if (result == PORT_DEFERRED) {
                memcpy(seen + received, clients[0].window, (size_t)clients[0].result);
                received += (size_t)clients[0].result;
            }
        }
    }
    CHECK(received == length && memcmp(script, seen, length) == 0);
}

static void test_raw(void)
{
    setup(false);
    type("abc\r\n\003\004");
    CHECK(strcmp(output(), "") == 0); /* no echo, nothing is special */
    CHECK(read_now(0, 4) == 4 && memcmp(clients[0].window, "abc\r", 4) == 0);
    CHECK(read_now(0, 100) == 3 && memcmp(clients[0].window, "\n\003\004", 3) == 0);
    CHECK(read_now(0, 100) == PORT_DEFERRED);
    port_hang_up(&port, true);
    CHECK(clients[0].replies == 1 && clients[0].result == 0);
    CHECK(port_poll(&port) == (FS_POLL_IN | FS_POLL_OUT | FS_POLL_HUP));
    CHECK(read_now(0, 100) == 0);
    port_hang_up(&port, false);
    CHECK(read_now(0, 100) == PORT_DEFERRED);
    type("x");
    CHECK(got(0, "x"));
    type("y"); /* what came before the end is read first */
    port_hang_up(&port, true);
    CHECK(read_now(0, 100) == 1);
    CHECK(read_now(0, 100) == 0);
}

static void test_raw_flow(void)
{
    setup(false);
    size_t total = 0;
    char bytes[100];
    for (unsigned i = 0; port_room(&port) > 0; i++) {
        size_t n = port_room(&port) < sizeof bytes ? port_room(&port) : sizeof bytes;
        for (size_t b = 0; b < n; b++)
            bytes[b] = (char)(total + b);
        port_receive(&port, bytes, n);
        total += n;
    }
    CHECK(total == PORT_INPUT);
    for (size_t at = 0; at < total;) {
        int64_t n = read_now(0, 3000);
        CHECK(n > 0 && n <= 3000);
        for (int64_t i = 0; i < n; i++)
            CHECK(clients[0].window[i] == (char)(at + (size_t)i));
        at += (size_t)n;
    }
    CHECK(port_room(&port) == PORT_INPUT);
}

static void test_write(void)
{
    setup(true);
    CHECK(port_write(&port, 0, 0, 12, 0, "hello\nworld\n", 12, false) == PORT_DEFERRED);
    memcpy(clients[1].window, "second\n", 7);
    CHECK(port_write(&port, 1, 1, 7, 0, NULL, 7, false) == PORT_DEFERRED);
    CHECK(port_write(&port, 2, 2, 1, 0, "x", 0, true) == -EAGAIN);
    CHECK(!(port_poll(&port) & FS_POLL_OUT));
    CHECK(clients[0].replies == 0);
    CHECK(strcmp(output(), "hello\r\nworld\r\nsecond\r\n") == 0);
    CHECK(clients[0].replies == 1 && clients[0].result == 12);
    CHECK(clients[1].replies == 1 && clients[1].result == 7);
    CHECK(port.cursor.row == 3 && port.cursor.column == 0);
    CHECK(port_write(&port, 0, 0, 0, 0, "", 5, false) == 5);
    CHECK(port_write(&port, 0, 0, 241, 0, "", 5, false) == -EINVAL);
    CHECK(port_write(&port, 3, 3, 4, 0, "\033[2J", 0, true) == PORT_DEFERRED);
    output();
    CHECK(clients[3].result == 0 && clients[3].replies == 1);
}

/* A long write is taken as the driver asks, in order, and answered at its end only. */
static void test_back_pressure(void)
{
    static char sent[100000];
    size_t length = 0;
    setup(false);
    for (unsigned i = 0; i < 50000; i++)
        clients[0].window[i] = (char)rand();
    memcpy(clients[1].window, "tail", 4);
    port_write(&port, 0, 0, 50000, 0, NULL, 50000, false);
    port_write(&port, 1, 1, 4, 0, NULL, 4, false);
    while (length < 50004) {
        size_t n = port_output(&port, sent + length, 4096);
        CHECK(n > 0 && n <= 4096);
        length += n;
        CHECK(clients[0].replies == 0 || length > 50000);
        port_answer(&port);
        CHECK(clients[0].replies == (length >= 50000));
    }
    CHECK(length == 50004 && memcmp(sent, clients[0].window, 50000) == 0);
    CHECK(memcmp(sent + 50000, "tail", 4) == 0);
    CHECK(clients[0].result == 50000 && clients[1].result == 4);
    CHECK(port_output(&port, sent, 4096) == 0);
}

static void test_dead_writers(void)
{
    setup(true);
    for (unsigned i = 0; i < PORT_WRITERS; i++)
        CHECK(port_write(&port, i, i, 2, 0, NULL, 2, false) == PORT_DEFERRED);
    CHECK(port_write(&port, 80, 80, 2, 0, "ok", 2, false) == -EAGAIN);
    for (unsigned i = 1; i < PORT_WRITERS; i++) {
        clients[i].dead = i != 7;
        memcpy(clients[i].window, "78", 2);
    }
    memcpy(clients[0].window, "00", 2);
    CHECK(port_write(&port, 80, 80, 2, 0, "ok", 2, false) == PORT_DEFERRED);
    CHECK(port.writer_count == 3);
    clients[7].dead = true; /* and one dies while it is queued */
    CHECK(strcmp(output(), "00ok") == 0);
    CHECK(clients[0].result == 2 && clients[80].result == 2);
    CHECK(port.writer_count == 0);
}

/* A newline that needs two bytes where one is left waits for the next buffer. */
static void test_narrow_output(void)
{
    char out[16];
    setup(true);
    port_write(&port, 0, 0, 17, 0, "123456789012345\nx", 17, false);
    CHECK(port_output(&port, out, 16) == 15);
    CHECK(port_output(&port, out, 16) == 3 && memcmp(out, "\r\nx", 3) == 0);
}

int main(void)
{
    srand(5);
    test_terminal_read();
    test_share_of_a_client();
    test_several_readers();
    test_dead_readers();
    test_interrupt();
    test_interrupt_held();
    test_echo_flow();
    test_interrupt_full();
    test_early_input();
    test_raw();
    test_raw_flow();
    test_write();
    test_back_pressure();
    test_dead_writers();
    test_narrow_output();
    return check_summary();
}
