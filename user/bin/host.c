/* host: addresses of names, and names of addresses, as the system's resolver finds them. */
#include "common/socket.h"

static const char usage[] = "usage: host [-46] NAME|ADDRESS...\n"
                            "  -4, -6  only addresses of IPv4, of IPv6\n";

static int family = AF_UNSPEC;

/* is_address: fills in what getnameinfo wants if text is an address. */
static bool is_address(const char *text, struct endpoint *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;
    if (getaddrinfo(text, NULL, &hints, &found) != 0)
        return false;
    memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
    address->length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static int complain(const char *name, int error)
{
    output_flush();
    if (error == EAI_NONAME)
        warnx("%s: not found", name);
    else
        warnx("%s: %s", name, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    return 1;
}

static int show_name(const char *text, struct endpoint *address)
{
    char name[NI_MAXHOST];
    int error = getnameinfo(endpoint_sockaddr(address), address->length, name, sizeof(name), NULL,
                            0, NI_NAMEREQD);
    if (error != 0)
        return complain(text, error);
    output_format("%s has name %s\n", text, name);
    return 0;
}

static int show_addresses(const char *name)
{
    const struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found;
    char text[ENDPOINT_TEXT_MAX];

    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error != 0)
        return complain(name, error);
    const char *canonical = found->ai_canonname ? found->ai_canonname : name;
    if (strcasecmp(canonical, name) != 0)
        output_format("%s is an alias for %s\n", name, canonical);
    for (struct addrinfo *a = found; a != NULL; a = a->ai_next)
        output_format("%s has %s %s\n", canonical,
                      a->ai_family == AF_INET6 ? "IPv6 address" : "address",
                      host_text(a->ai_addr, a->ai_addrlen, text));
    freeaddrinfo(found);
    return 0;
}

int main(int argc, char **argv)
{
    struct endpoint address;
    int option, status = 0;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "46")) != -1)
        family = option == '4' ? AF_INET : AF_INET6;
    if (optind == argc)
        utility_misuse("no name");
    for (; optind < argc; optind++)
        status |= is_address(argv[optind], &address) ? show_name(argv[optind], &address)
                                                     : show_addresses(argv[optind]);
    return status;
}
