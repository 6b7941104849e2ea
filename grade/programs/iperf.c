/* iperf HOST [reverse]: one second of TCP as the client of an iperf3 server, to which we send, or
 * which sends to us. Prints what was moved. Runs on Linux as well. */
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT    "5201"
#define COOKIE  "cairn-cairn-cairn-cairn-cairn-cairn-" /* 36 characters and the final 0 */
#define SECONDS 1

/* What travels on the control connection, a byte each. */
enum state {
    TEST_START = 1,
    TEST_RUNNING = 2,
    TEST_END = 4,
    PARAM_EXCHANGE = 9,
    CREATE_STREAMS = 10,
    EXCHANGE_RESULTS = 13,
    DISPLAY_RESULTS = 14,
    IPERF_DONE = 16,
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int connection(const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int error = getaddrinfo(host, PORT, &hints, &found);
    if (error)
        errx(1, "%s: %s", host, gai_strerror(error));
    int fd = socket(found->ai_family, found->ai_socktype, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        err(1, "%s", host);
    freeaddrinfo(found);
    if (send(fd, COOKIE, sizeof COOKIE, 0) != sizeof COOKIE)
        err(1, "cookie");
    return fd;
}

static void expect(int control, enum state wanted)
{
    signed char state;
    if (recv(control, &state, 1, 0) != 1)
        err(1, "the server is gone where state %d was expected", wanted);
    if (state != (int)wanted)
        errx(1, "state %d instead of %d", state, wanted);
}

static void say(int control, enum state state)
{
    char byte = (char)state;
    if (send(control, &byte, 1, 0) != 1)
        err(1, "state %d", state);
}

static void send_json(int control, const char *text)
{
    uint32_t length = htonl((uint32_t)strlen(text));
    if (send(control, &length, 4, MSG_MORE) != 4 ||
        send(control, text, strlen(text), 0) != (ssize_t)strlen(text))
        err(1, "send");
}

static void skip_json(int control)
{
    static char text[65536];
    uint32_t length;
    if (recv(control, &length, 4, MSG_WAITALL) != 4 || ntohl(length) > sizeof text ||
        recv(control, text, ntohl(length), MSG_WAITALL) != (ssize_t)ntohl(length))
        err(1, "results");
}

static uint64_t move(int stream, bool reverse)
{
    static char block[131072];
    uint64_t bytes = 0, end = now() + SECONDS * 1000000000ull;
    while (now() < end) {
        ssize_t moved =
            reverse ? recv(stream, block, sizeof block, 0) : send(stream, block, sizeof block, 0);
        if (moved <= 0)
            err(1, "the stream ends early");
        bytes += (uint64_t)moved;
    }
    return bytes;
}

int main(int argc, char **argv)
{
    char text[512];
    bool reverse = argc == 3 && strcmp(argv[2], "reverse") == 0;
    if (argc != 2 && !reverse)
        errx(2, "usage: iperf HOST [reverse]");
    int control = connection(argv[1]);
    expect(control, PARAM_EXCHANGE);
    snprintf(text, sizeof text,
             "{\"tcp\":true,\"omit\":0,\"time\":%d,\"parallel\":1,\"len\":131072%s,"
             "\"client_version\":\"3.12\"}",
             SECONDS, reverse ? ",\"reverse\":true" : "");
    send_json(control, text);
    expect(control, CREATE_STREAMS);
    int stream = connection(argv[1]);
    expect(control, TEST_START);
    expect(control, TEST_RUNNING);
    uint64_t bytes = move(stream, reverse);
    say(control, TEST_END);
    expect(control, EXCHANGE_RESULTS);
    snprintf(text, sizeof text,
             "{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,"
             "\"sender_has_retransmits\":0,\"streams\":[{\"id\":1,\"bytes\":%llu,"
             "\"retransmits\":-1,\"jitter\":0,\"errors\":0,\"packets\":0,\"start_time\":0,"
             "\"end_time\":%d}]}",
             (unsigned long long)bytes, SECONDS);
    send_json(control, text);
    skip_json(control);
    expect(control, DISPLAY_RESULTS);
    say(control, IPERF_DONE);
    close(stream);
    close(control);
    printf("%s %llu bytes\n", reverse ? "received" : "sent", (unsigned long long)bytes);
    return 0;
}
