/* Reads /etc/hosts and /etc/services. Lines that make no sense are passed over. */
#include "tables.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE 512
#define WORDS_MAX 16

/* One line in words; what is behind # is left out. */
struct line {
    char text[LINE_SIZE];
    char *words[WORDS_MAX];
    unsigned count;
};

static bool next_line(FILE *file, struct line *line)
{
    char *state;
    if (!fgets(line->text, sizeof line->text, file))
        return false;
    line->text[strcspn(line->text, "#")] = '\0';
    line->count = 0;
    for (char *word = strtok_r(line->text, " \t\r\n", &state); word && line->count < WORDS_MAX;
         word = strtok_r(NULL, " \t\r\n", &state))
        line->words[line->count++] = word;
    return true;
}

static bool has_word(const struct line *line, unsigned from, const char *name)
{
    for (unsigned i = from; i < line->count; i++)
        if (strcasecmp(line->words[i], name) == 0)
            return true;
    return false;
}

static bool line_address(const struct line *line, struct net_address *address)
{
    *address = (struct net_address){0};
    if (line->count < 2)
        return false;
    if (inet_pton(AF_INET, line->words[0], address->bytes) == 1)
        address->family = NET_INET;
    else if (inet_pton(AF_INET6, line->words[0], address->bytes) == 1)
        address->family = NET_INET6;
    return address->family != 0;
}

unsigned hosts_addresses(FILE *file, const char *name, unsigned family, struct net_address *list,
                         unsigned max)
{
    struct line line;
    unsigned count = 0;
    while (count < max && next_line(file, &line))
        if (line_address(&line, &list[count]) && has_word(&line, 1, name) &&
            (family == 0 || family == list[count].family))
            count++;
    return count;
}

bool hosts_name(FILE *file, const struct net_address *address, char *name, size_t size)
{
    struct line line;
    struct net_address found;
    while (next_line(file, &line))
        if (line_address(&line, &found) && found.family == address->family &&
            memcmp(found.bytes, address->bytes, sizeof found.bytes) == 0 &&
            strlen(line.words[1]) < size) {
            strcpy(name, line.words[1]);
            return true;
        }
    return false;
}

/* The port of a line of services, whose protocol is one of those that have ports; 0: none. */
static unsigned line_port(const struct line *line, const char *wanted, const char **protocol)
{
    char *end;
    if (line->count < 2)
        return 0;
    unsigned long port = strtoul(line->words[1], &end, 10);
    if (end == line->words[1] || *end != '/' || port == 0 || port > UINT16_MAX)
        return 0;
    *protocol = strcmp(end + 1, "udp") == 0 ? "udp" : strcmp(end + 1, "tcp") == 0 ? "tcp" : NULL;
    return *protocol && (!wanted || strcmp(*protocol, wanted) == 0) ? (unsigned)port : 0;
}

unsigned services_port(FILE *file, const char *name, const char *protocol, const char **found)
{
    struct line line;
    const char *of;
    while (next_line(file, &line)) {
        unsigned port = line_port(&line, protocol, &of);
        if (!port || (strcmp(line.words[0], name) != 0 && !has_word(&line, 2, name)))
            continue;
        if (found)
            *found = of;
        return port;
    }
    return 0;
}

bool services_name(FILE *file, unsigned port, const char *protocol, char *name, size_t size)
{
    struct line line;
    const char *of;
    while (next_line(file, &line))
        if (line_port(&line, protocol, &of) == port && strlen(line.words[0]) < size) {
            strcpy(name, line.words[0]);
            return true;
        }
    return false;
}
