/* sync: writes what is in memory to disk. With -v it shows the asynchronous pattern: the server
 * answers at once with a job, works on it between other requests, and pulses at completion. */
#include "cairn/syscall.h"
#include "common/utility.h"
#include "fsclient/fsclient.h"

#include <fcntl.h>

#define SECOND 1000000000ul

static const char usage[] = "usage: sync [-v] [FILE]...\n"
                            "Write all changes of the file systems, or of these files, to disk.\n"
                            "  -v  as jobs of the file servers, with their progress\n";

static const char *const volumes[] = {"fs:root:", "fs:temp:"};
#define VOLUMES (sizeof volumes / sizeof volumes[0])

static int sync_file(const char *name)
{
    int fd = open(name, O_RDONLY), status = 0;
    if (fd < 0 || fsync(fd) < 0) {
        warn("%s", name);
        status = 1;
    }
    if (fd >= 0)
        close(fd);
    return status;
}

struct job {
    handle_t root;
    int64_t id; /* 0 = not there, or over */
};

/* Starts a job on each volume that is mounted; bit n of the channel is volume n's. */
static int start_jobs(struct job *jobs, handle_t channel)
{
    int status = 0;
    for (unsigned i = 0; i < VOLUMES; i++) {
        char path[FS_PATH_MAX];
        jobs[i] = (struct job){.root = fs_locate(volumes[i], path, sizeof path)};
        if (jobs[i].root < 0)
            continue;
        jobs[i].id = fs_sync_start(jobs[i].root, channel, i);
        if (jobs[i].id > 0) {
            printf("%s job %ld started\n", volumes[i], (long)jobs[i].id);
            continue;
        }
        errno = (int)-jobs[i].id;
        warn("%s", volumes[i]);
        jobs[i].id = 0;
        status = 1;
    }
    fflush(stdout);
    return status;
}

static int end_job(struct job *job, const char *volume)
{
    int64_t result = fs_job(job->root, job->id);
    job->id = 0;
    if (result == 0) {
        printf("%s written\n", volume);
        return 0;
    }
    errno = (int)-result;
    warn("%s", volume);
    return 1;
}

static int sync_as_jobs(void)
{
    struct job jobs[VOLUMES];
    handle_t channel = (handle_t)channel_create(0);
    if (channel < 0) {
        errno = -channel;
        err(1, "channel");
    }
    int status = start_jobs(jobs, channel);
    for (;;) {
        struct message m = {0};
        bool running = false;
        for (unsigned i = 0; i < VOLUMES; i++)
            running = running || jobs[i].id;
        if (!running)
            return status;
        if (channel_recv(channel, &m, (uint64_t)clock_now() + SECOND) == -ETIMEDOUT)
            printf("still writing\n");
        for (unsigned i = 0; i < VOLUMES; i++) {
            if (jobs[i].id && m.words[0] >> i & 1)
                status |= end_job(&jobs[i], volumes[i]);
        }
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    int status = 0, letter;
    bool verbose = false;

    utility_start(usage, 1);
    while ((letter = utility_option(argc, argv, "v")) != -1)
        verbose = letter == 'v';
    if (optind == argc && verbose)
        return sync_as_jobs();
    if (optind == argc)
        sync();
    for (int i = optind; i < argc; i++)
        status |= sync_file(argv[i]);
    return status;
}
