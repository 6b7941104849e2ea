/* net: what the network is doing, as netd tells it in the files of net:, and changes to it. */
#include "../common/input.h"
#include "change.h"

static const char usage[] =
    "usage: net [status | routes | neighbours]\n"
    "       net sockets [-tuwl]\n"
    "       net counters [-a]\n"
    "  status      interfaces, addresses, leases (usual)\n"
    "  routes      where packets go\n"
    "  neighbours  hardware addresses on the links\n"
    "  sockets     who talks to whom; -t TCP, -u UDP, -w raw, -l listening\n"
    "  counters    of all layers, but for those that are 0 (-a: those, too)\n";

static struct {
    bool all, listening;
    char protocols[4]; /* of 't', 'u', 'r': the first letters of lines; "" = all */
} options;

/* wanted_socket: is the line one of those that were asked for? The heading always is. */
static bool wanted_socket(const char *line, size_t length)
{
    static const char state[] = "LISTEN";
    size_t tail = sizeof(state) - 1;
    if (length >= 5 && strncmp(line, "proto", 5) == 0)
        return true;
    if (options.listening && (length < tail || memcmp(line + length - tail, state, tail) != 0))
        return false;
    return options.protocols[0] == '\0' ||
           (length > 0 && strchr(options.protocols, line[0]) != NULL);
}

static bool wanted_counter(const char *line, size_t length)
{
    return options.all || length < 2 || memcmp(line + length - 2, " 0", 2) != 0;
}

static bool any_line(const char *line, size_t length)
{
    (void)line;
    (void)length;
    return true;
}

static const struct subject {
    const char *name, *file;
    bool (*wanted)(const char *line, size_t length);
} subjects[] = {
    {"status", "net:status", any_line},           {"routes", "net:routes", any_line},
    {"neighbours", "net:neighbours", any_line},   {"sockets", "net:sockets", wanted_socket},
    {"counters", "net:counters", wanted_counter},
};

static const struct subject *find_subject(const char *name)
{
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        if (strcmp(subjects[i].name, name) == 0)
            return &subjects[i];
    utility_misuse("no such subject");
}

static int show(const struct subject *subject)
{
    struct input in = {0};
    char *line;
    size_t length;

    if (!input_open(&in, subject->file))
        return 1;
    while (input_line(&in, '\n', &line, &length))
        if (subject->wanted(line, length)) {
            output_write(line, length);
            output_char('\n');
        }
    int status = in.failed;
    input_close(&in);
    free(in.buffer);
    return status;
}

static void add_protocol(char letter)
{
    size_t used = strlen(options.protocols);
    if (strchr(options.protocols, letter) == NULL && used + 1 < sizeof(options.protocols))
        options.protocols[used] = letter;
}

int main(int argc, char **argv)
{
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "+altuw")) != -1)
        switch (option) {
        case 'a':
            options.all = true;
            break;
        case 'l':
            options.listening = true;
            break;
        case 't':
            add_protocol('t');
            break;
        case 'u':
            add_protocol('u');
            break;
        default:
            add_protocol('r');
        }
    if (optind < argc && is_change(argv[optind]))
        return change(argv + optind, (unsigned)(argc - optind));
    if (argc - optind > 1)
        utility_misuse("one subject only");
    return show(optind < argc ? find_subject(argv[optind]) : &subjects[0]);
}
