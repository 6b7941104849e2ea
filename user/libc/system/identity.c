/* Who and where this process is: ids, users (there is one), limits, the system's name. */
#include "abi/memory.h"
#include "abi/process.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "../file/fd.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ARG_MAX_RESERVE 4096 /* for what a spawn block holds beside arguments and environment */

pid_t getpid(void)
{
    return (pid_t)process_self();
}

/* The parent of the start, who may be gone; init then is (PROC_PARENT knows). */
pid_t getppid(void)
{
    const struct spawn_block *block = start_block();
    if (!block)
        return 0;
    int64_t pid = call_words(block->process_service, PROC_PARENT, 0, 0, 0);
    return pid >= 0 ? (pid_t)pid : (pid_t)block->parent;
}

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

int setuid(uid_t uid)
{
    return (int)libc_error(uid == 0 ? 0 : -EPERM);
}

int setgid(gid_t gid)
{
    return (int)libc_error(gid == 0 ? 0 : -EPERM);
}

int getgroups(int size, gid_t groups[])
{
    if (size > 0)
        groups[0] = 0;
    return 1;
}

char *getlogin(void)
{
    return "root";
}

static struct passwd root_user = {.pw_name = "root",
                                  .pw_passwd = "*",
                                  .pw_comment = "",
                                  .pw_gecos = "root",
                                  .pw_dir = "/root",
                                  .pw_shell = "/bin/sh"};
static char *root_members[] = {NULL};
static struct group root_group = {.gr_name = "root", .gr_passwd = "*", .gr_mem = root_members};

struct passwd *getpwuid(uid_t uid)
{
    return uid == 0 ? &root_user : NULL;
}

struct passwd *getpwnam(const char *name)
{
    return strcmp(name, root_user.pw_name) == 0 ? &root_user : NULL;
}

struct group *getgrgid(gid_t gid)
{
    return gid == 0 ? &root_group : NULL;
}

struct group *getgrnam(const char *name)
{
    return strcmp(name, root_group.gr_name) == 0 ? &root_group : NULL;
}

int uname(struct utsname *name)
{
    memset(name, 0, sizeof *name);
    strcpy(name->sysname, "Cairn");
    strcpy(name->nodename, "cairn");
    strcpy(name->release, "1.0");
    strcpy(name->version, "riscv64 microkernel");
    strcpy(name->machine, "riscv64");
    return 0;
}

int gethostname(char *name, size_t size)
{
    return (int)libc_error(strlcpy(name, "cairn", size) < size ? 0 : -ENAMETOOLONG);
}

int getpagesize(void)
{
    return PAGE_SIZE;
}

int getdtablesize(void)
{
    return FD_MAX;
}

long sysconf(int name)
{
    switch (name) {
    case _SC_ARG_MAX:
        return SPAWN_BLOCK_MAX - ARG_MAX_RESERVE;
    case _SC_CHILD_MAX:
        return PROCESSES_MAX;
    case _SC_CLK_TCK:
        return 1000000;
    case _SC_OPEN_MAX:
        return FD_MAX;
    case _SC_PAGESIZE:
        return PAGE_SIZE;
    case _SC_VERSION:
        return 200809L;
    default:
        errno = EINVAL;
        return -1;
    }
}
