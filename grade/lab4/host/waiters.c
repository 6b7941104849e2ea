/* Runs nsd's waiting requests on the host, with a name table of the test's own behind them: one
 * command a line on standard input, one line of result each in the file that is the only
 * argument. */
#include "abi/errno.h"
#include "cairn/syscall.h"
#include "nsd/nsd.h"
#include "proto/ns.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX  512
#define TOKENS_MAX 4096

static FILE *results;

/* ---- Names ------------------------------------------------------------------------------------
 */

static struct {
    int view;
    char uri[64];
    int64_t value; /* < 0: an error; 0: nothing (any more) */
} names[NAMES_MAX];
static size_t name_count;

static int64_t handles_out; /* made by namespace_resolve and in no reply yet */

static void name_set(int view, const char *uri, int64_t value)
{
    size_t i = 0;
    while (i < name_count && (names[i].view != view || strcmp(names[i].uri, uri) != 0))
        i++;
    if (i == NAMES_MAX)
        abort();
    name_count += i == name_count;
    names[i].view = view;
    snprintf(names[i].uri, sizeof names[i].uri, "%s", uri);
    names[i].value = value;
}

int64_t namespace_resolve(int view, const char *uri, size_t len, struct message *message)
{
    for (size_t i = 0; i < name_count; i++) {
        if (names[i].view != view || strlen(names[i].uri) != len ||
            memcmp(names[i].uri, uri, len) != 0 || names[i].value == 0)
            continue;
        if (names[i].value < 0)
            return names[i].value;
        message->len = offsetof(struct ns_resolve_reply, rest);
        message->handles[0] = (handle_t)names[i].value;
        message->handle_count = 1;
        handles_out++;
        return 0;
    }
    return -ENOENT;
}

/* ---- Callers ----------------------------------------------------------------------------------
 */

enum caller { CALLER_NONE, CALLER_WAITS, CALLER_ANSWERED, CALLER_GONE };
static enum caller callers[TOKENS_MAX];

/* What callers got, by token. */
static struct {
    uint64_t token;
    char text[80];
} answers[TOKENS_MAX];
static size_t answer_count;

static int answer(uint64_t token, const char *text)
{
    bool waits = token < TOKENS_MAX && callers[token] == CALLER_WAITS;
    if (token < TOKENS_MAX && callers[token] == CALLER_GONE)
        return -ESTALE;
    if (answer_count == TOKENS_MAX)
        abort();
    answers[answer_count].token = token;
    snprintf(answers[answer_count++].text, sizeof answers[0].text, "%lu:%s%s", (unsigned long)token,
             waits ? "" : "not-waiting:", text);
    if (waits)
        callers[token] = CALLER_ANSWERED;
    return waits ? 0 : -ESTALE;
}

int channel_reply(uint64_t token, const struct message *m)
{
    char text[64];
    int64_t result = m->len >= sizeof(int64_t) ? (int64_t)m->words[0] : -EPROTO;
    if (m->type != REPLY_TYPE(NS_WAIT))
        snprintf(text, sizeof text, "type-%u", m->type);
    else if (result == 0)
        snprintf(text, sizeof text, "handle-%d", m->handle_count == 1 ? m->handles[0] : 0);
    else
        snprintf(text, sizeof text, "error%ld", (long)result);
    handles_out -= m->handle_count; /* the kernel takes them, whether the caller is there or not */
    return answer(token, text);
}

int server_reply(uint64_t token, int64_t result, const void *data, size_t len)
{
    char text[64];
    (void)data, (void)len;
    snprintf(text, sizeof text, "error%ld", (long)result);
    return answer(token, text);
}

int64_t copy_in(uint64_t token, uint32_t window, uint64_t offset, void *buffer, size_t len)
{
    (void)window, (void)offset, (void)buffer, (void)len;
    return token < TOKENS_MAX && callers[token] == CALLER_WAITS ? 0 : -ESTALE;
}

/* ---- Commands ---------------------------------------------------------------------------------
 */

static int answer_compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b; /* token is first */
    return (*x > *y) - (*x < *y);
}

/* In whatever order they were given. */
static void print_answers(void)
{
    qsort(answers, answer_count, sizeof answers[0], answer_compare);
    fprintf(results, "answers");
    for (size_t i = 0; i < answer_count; i++)
        fprintf(results, " %s", answers[i].text);
    if (handles_out != 0)
        fprintf(results, " and %ld handles in no reply", (long)handles_out);
    answer_count = 0;
}

static void do_add(char **words)
{
    uint64_t token = strtoul(words[1], NULL, 10);
    struct message message = {.sender = (uint32_t)atol(words[2])};
    struct message reply;
    struct request request = {.message = &message, .reply = &reply, .token = token};
    callers[token] = CALLER_WAITS;
    int64_t result = waiters_add(&request, atoi(words[3]), words[4], strlen(words[4]));
    if (result == SERVER_DEFERRED)
        fprintf(results, "waits");
    else
        fprintf(results, "%ld", (long)result);
}

static void run_line(char *line)
{
    char *words[6] = {NULL};
    for (size_t i = 0; i < 5 && (words[i] = strtok(i == 0 ? line : NULL, " \n")) != NULL; i++)
        ;
    if (strcmp(words[0], "add") == 0) {
        do_add(words);
    } else if (strcmp(words[0], "name") == 0) {
        name_set(atoi(words[1]), words[2], atol(words[3]));
        fprintf(results, "0");
    } else if (strcmp(words[0], "gone") == 0) {
        callers[atol(words[1])] = CALLER_GONE;
        fprintf(results, "0");
    } else if (strcmp(words[0], "drop") == 0) {
        waiters_drop(atoi(words[1]));
        print_answers();
    } else {
        waiters_wake();
        print_answers();
    }
    fputc('\n', results);
}

int main(int argc, char **argv)
{
    static char line[256];
    results = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (results == NULL)
        return 2;
    setvbuf(results, NULL, _IOLBF, 1 << 16);
    while (fgets(line, sizeof line, stdin) != NULL)
        run_line(line);
    return fclose(results) != 0;
}
