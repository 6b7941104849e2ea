/* The commands of net that change something: words into one request to netd. */
#include "change.h"

#include "../common/utility.h"
#include "netclient/netclient.h"
#include <arpa/inet.h>
#include <sys/socket.h>

struct command {
    char *const *words;
    unsigned count, at;
    struct net_change_request request;
};

static const char *next(struct command *command, const char *what)
{
    if (command->at == command->count)
        utility_misuse(what);
    return command->words[command->at++];
}

static bool next_is(struct command *command, const char *word)
{
    if (command->at == command->count || strcmp(command->words[command->at], word) != 0)
        return false;
    command->at++;
    return true;
}

/* choose: the first word of two means the first number. */
static void choose(struct command *command, const char *one, enum net_change first,
                   const char *other, enum net_change second)
{
    const char *word = next(command, "a word is missing");
    if (strcmp(word, one) != 0 && strcmp(word, other) != 0)
        errx(2, "%s: neither \"%s\" nor \"%s\"", word, one, other);
    command->request.what = strcmp(word, one) == 0 ? first : second;
}

static void take_interface(struct command *command)
{
    const char *name = next(command, "an interface is missing");
    struct net_info_reply info;
    for (unsigned index = 1; net_info(index, &info) >= 0; index++)
        if (strncmp(info.name, name, sizeof(info.name)) == 0) {
            command->request.interface = index;
            return;
        }
    errx(1, "%s: no such interface", name);
}

static bool parse_address(const char *text, struct net_address *address)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, address->bytes) == 1)
        address->family = NET_INET;
    else if (inet_pton(AF_INET6, text, address->bytes) == 1)
        address->family = NET_INET6;
    return address->family != 0;
}

/* take_prefix: ADDRESS/BITS, an address alone is all its bits. */
static void take_prefix(struct command *command)
{
    struct net_change_request *request = &command->request;
    const char *word = next(command, "an address is missing");
    char text[64];
    size_t length = strcspn(word, "/");
    uint64_t bits = 0;

    snprintf(text, sizeof(text), "%.*s", (int)(length < 60 ? length : 60), word);
    if (!parse_address(text, &request->address))
        errx(2, "%s: not an address", word);
    uint64_t most = request->address.family == NET_INET ? 32 : 128;
    if (word[length] == '\0')
        bits = most;
    else if (!parse_count(word + length + 1, &bits) || bits > most)
        errx(2, "%s: bad prefix length", word);
    request->prefix = (uint8_t)bits;
}

static void parse_address_command(struct command *command)
{
    choose(command, "add", NET_ADDRESS_ADD, "remove", NET_ADDRESS_REMOVE);
    take_interface(command);
    take_prefix(command);
}

static void parse_route_command(struct command *command)
{
    struct net_change_request *request = &command->request;

    choose(command, "add", NET_ROUTE_ADD, "remove", NET_ROUTE_REMOVE);
    bool everywhere = next_is(command, "default");
    if (!everywhere)
        take_prefix(command);
    if (next_is(command, "via")) {
        const char *word = next(command, "a gateway is missing");
        if (!parse_address(word, &request->gateway))
            errx(2, "%s: not an address", word);
    }
    if (next_is(command, "dev"))
        take_interface(command);
    if (request->gateway.family == 0 && request->interface == 0)
        utility_misuse("a route needs a gateway or an interface");
    if (everywhere)
        request->address.family = request->gateway.family ? request->gateway.family : NET_INET;
}

static void parse_link_command(struct command *command)
{
    choose(command, "up", NET_LINK_UP, "down", NET_LINK_DOWN);
    take_interface(command);
}

static void parse_dhcp_command(struct command *command)
{
    command->request.what = NET_DHCP_RENEW;
    take_interface(command);
}

static void parse_flush_command(struct command *command)
{
    command->request.what = NET_NEIGHBOURS_FLUSH;
    take_interface(command);
}

static const struct {
    const char *name;
    void (*parse)(struct command *command);
} commands[] = {
    {"address", parse_address_command}, {"route", parse_route_command},
    {"link", parse_link_command},       {"dhcp", parse_dhcp_command},
    {"flush", parse_flush_command},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static size_t find_command(const char *word)
{
    size_t i = 0;
    while (i < COMMANDS && strcmp(commands[i].name, word) != 0)
        i++;
    return i;
}

bool is_change(const char *word) { return find_command(word) < COMMANDS; }

int change(char *const *words, unsigned count)
{
    struct command command = {.words = words, .count = count, .at = 1};

    commands[find_command(words[0])].parse(&command);
    if (command.at < count)
        utility_misuse("too many words");
    int error = net_change(&command.request);
    if (error == 0)
        return 0;
    errno = -error;
    warn("%s", words[0]);
    return 1;
}
