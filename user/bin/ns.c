/* ns: names: who serves what, and where a name leads. */
#include "common/kernel_call.h"

#include "cairn/syscall.h"
#include <spawn.h>
#include <sys/wait.h>

static const char usage[] =
    "usage: ns list | resolve NAME... | alias NAME TARGET | run [VIEW]... COMMAND [ARGUMENT]...\n"
    "  list     the registered prefixes, their owners, and aliases\n"
    "  resolve  the channel that serves a name, and what it will be asked for\n"
    "  alias    let one prefix stand for another, in the view of this process\n"
    "  run      run a command in a view of the names of its own:\n"
    "           -e start with an empty view, -o NAME only names under NAME, -x NAME hide a name,\n"
    "           -b NAME=TARGET let a name lead elsewhere, -r names cannot be registered\n";

static int fail(const char *what, int64_t error)
{
    warnx("%s: %s", what, strerror((int)-error));
    return 1;
}

static int list(void)
{
    struct process_facts facts;
    output_format("%-24s %s\n", "PREFIX", "SERVED BY");
    for (uint32_t index = 0;; index++) {
        struct message m = {.type = NS_LIST};
        struct ns_request *request = (struct ns_request *)m.data;
        const struct ns_list_reply *reply = (const struct ns_list_reply *)m.data;
        request->flags = index;
        m.len = offsetof(struct ns_request, text);
        int error = channel_call(namespace_get(), &m);
        if (error == 0 && reply->result < 0)
            error = (int)reply->result;
        if (error == -ENOENT)
            return 0;
        if (error < 0)
            return fail("list", error);
        output_format("%-24.*s ", (int)reply->len, reply->text);
        if (reply->alias_len > 0)
            output_format("-> %.*s\n", (int)reply->alias_len, reply->text + reply->len);
        else if (reply->owner == 0)
            output_text("kernel or nsd\n");
        else
            output_format("%u %s\n", (unsigned)reply->owner, process_name(reply->owner, &facts));
    }
}

static int resolve(char **names)
{
    int status = 0;
    for (; *names != NULL; names++) {
        char rest[NS_URI_MAX];
        struct handle_info info = {0};
        handle_t handle = name_resolve(*names, rest);
        if (handle < 0) {
            status = fail(*names, handle);
            continue;
        }
        handle_info(handle, &info);
        output_format("%s: channel %llu%s, rest \"%s\"\n", *names, (unsigned long long)info.id,
                      info.type == OBJECT_SESSION ? " (session)" : "", rest);
    }
    return status;
}

struct view_change {
    int option;
    char *name;
};

static int change_view(handle_t view, struct view_change change)
{
    char *equals;
    switch (change.option) {
    case 'o':
        return namespace_restrict(view, change.name);
    case 'x':
        return namespace_hide(view, change.name);
    default:
        equals = strchr(change.name, '=');
        if (equals == NULL)
            return -EINVAL;
        *equals = '\0';
        return namespace_rebind(view, change.name, equals + 1);
    }
}

/* The program is found through the old view, then runs in the new one. */
static int run_in(handle_t view, char **argv)
{
    extern char **environ;
    pid_t pid;
    int status, error;

    if (view < 0)
        return fail("view", view);
    namespace_set(view);
    error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (error != 0) {
        fail(argv[0], -error);
        return error == ENOENT ? 127 : 126;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail("wait", -errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(int argc, char **argv)
{
    struct view_change changes[32];
    unsigned flags = 0;
    size_t count = 0;
    int option;

    while ((option = utility_option(argc, argv, "+ero:x:b:")) != -1) {
        if (option == 'e')
            flags |= NS_VIEW_EMPTY;
        else if (option == 'r')
            flags |= NS_VIEW_READ_ONLY;
        else if (count < sizeof(changes) / sizeof(changes[0]))
            changes[count++] = (struct view_change){option, optarg};
        else
            errx(1, "too many changes");
    }
    if (optind == argc)
        utility_misuse("no command given");
    unsigned first = count > 0 ? flags & ~(unsigned)NS_VIEW_READ_ONLY : flags;
    handle_t view = namespace_view(namespace_get(), first);
    for (size_t i = 0; i < count && view >= 0; i++) {
        int error = change_view(view, changes[i]);
        if (error < 0)
            return fail(changes[i].name, error);
    }
    if (view >= 0 && first != flags)
        view = namespace_view(view, NS_VIEW_READ_ONLY);
    return run_in(view, argv + optind);
}

int main(int argc, char **argv)
{
    utility_start(usage, 1);
    const char *command = argc > 1 ? argv[1] : "list";
    if (strcmp(command, "--help") == 0) {
        output_text(usage);
        return 0;
    }
    if (strcmp(command, "list") == 0)
        return list();
    if (strcmp(command, "resolve") == 0 && argc > 2)
        return resolve(argv + 2);
    if (strcmp(command, "alias") == 0 && argc == 4) {
        int error = name_alias(argv[2], argv[3]);
        return error < 0 ? fail(argv[2], error) : 0;
    }
    if (strcmp(command, "run") == 0)
        return run(argc - 1, argv + 1);
    utility_misuse(NULL);
}
