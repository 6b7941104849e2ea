/* ps: the processes, as the kernel counts them. */
#include "common/kernel_call.h"

#include <fcntl.h>

static const char usage[] =
    "usage: ps [-a] [-l]\n"
    "  -a  all processes; without it, those of this session: from the first process below init\n"
    "      that led to this one, downwards\n"
    "  -l  also the handles, the messages sent, and the server that a process waits for\n"
    "TIME is the processor time used, PAGES what is charged to the process.\n";

struct entry {
    struct process_facts facts;
    uint32_t parent;
    bool shown;
};

static struct entry entries[PROCESSES_MAX];
static size_t count;

/* The parent as init knows it: in the kernel's eyes init has made them all. */
static uint32_t find_parent(const struct process_facts *facts)
{
    char name[40], text[512], *line;
    snprintf(name, sizeof(name), "proc:%u:state", (unsigned)facts->pid);
    int fd = open(name, O_RDONLY);
    ssize_t len = fd >= 0 ? read_some(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    line = strstr(text, "\nparent: ");
    return line != NULL ? (uint32_t)strtoul(line + 9, NULL, 10) : facts->creator;
}

static struct entry *find(uint32_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].facts.pid == pid)
            return &entries[i];
    return NULL;
}

/* The ancestor of this process that init itself started. */
static uint32_t session_root(void)
{
    uint32_t pid = (uint32_t)getpid();
    for (size_t steps = 0; steps < count; steps++) {
        const struct entry *entry = find(pid);
        const struct entry *parent = entry != NULL ? find(entry->parent) : NULL;
        if (parent == NULL || parent->parent == 0 || parent == entry)
            break;
        pid = parent->facts.pid;
    }
    return pid;
}

static void choose(bool all)
{
    uint32_t root = session_root();
    bool changed = true;
    for (size_t i = 0; i < count; i++)
        entries[i].shown = all || entries[i].facts.pid == root;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < count; i++) {
            const struct entry *parent = find(entries[i].parent);
            if (!entries[i].shown && parent != NULL && parent->shown)
                changed = entries[i].shown = true;
        }
    }
}

static const char *state_name(uint32_t state)
{
    static const char *const names[] = {"new", "ready", "run", "wait", "dead"};
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static void show(const struct entry *entry, bool longer)
{
    const struct process_facts *facts = &entry->facts;
    uint64_t ms = facts->cpu_time / 1000000;
    struct process_facts server;

    output_format("%5u %5u %-5s %3u %6u %3llu:%02llu.%03llu", (unsigned)facts->pid,
                  (unsigned)entry->parent, state_name(facts->state), (unsigned)facts->priority,
                  (unsigned)facts->pages, (unsigned long long)(ms / 60000),
                  (unsigned long long)(ms / 1000 % 60), (unsigned long long)(ms % 1000));
    if (longer)
        output_format(" %7u %8llu %-10.10s", (unsigned)facts->handles,
                      (unsigned long long)facts->calls, process_name(facts->waits_for, &server));
    output_format(" %s\n", facts->name);
}

int main(int argc, char **argv)
{
    struct process_facts facts;
    bool all = false, longer = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "ael")) != -1) {
        all = all || option != 'l';
        longer = longer || option == 'l';
    }
    if (optind < argc)
        utility_misuse("no arguments are expected");
    for (uint32_t pid = 0; count < PROCESSES_MAX && next_process(pid, &facts);
         pid = facts.pid + 1) {
        entries[count].facts = facts;
        entries[count++].parent = find_parent(&facts);
    }
    choose(all);
    output_format("  PID  PPID STATE PRI  PAGES       TIME%s NAME\n",
                  longer ? " HANDLES MESSAGES WAITS-FOR " : "");
    for (size_t i = 0; i < count; i++)
        if (entries[i].shown)
            show(&entries[i], longer);
    return 0;
}
