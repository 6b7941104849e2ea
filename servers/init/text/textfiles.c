/* Open text files and directories. A text is rendered when it is read at its beginning and kept
 * while the same reader goes on, so that a file read in pieces is one text as long as nobody else
 * reads.
 *
 * libcairn's textfile.h, which other servers use, keeps a copy of each open text. init may not: it
 * allocates nothing, so that it lives through a shortage of memory, and the files of boot: are
 * large and lie in memory anyway. */

#include "textfiles.h"
#include "facts.h"
#include "proto/fs.h"
#include <string.h>

#define SESSIONS_MAX    128
#define SESSIONS_OF_ONE 32
#define CHUNK_MAX       4096
#define DIRENT_MAX      (sizeof(struct fs_dirent) + sizeof(((struct fact_entry *)0)->name) + 8)

struct session {
    uint64_t badge; /* 0 = free */
    uint32_t owner; /* pid of who opened it */
    struct fact fact;
    uint64_t offset;   /* or the next cookie */
    uint64_t log_base; /* FACT_LOG: where the oldest byte was when it was opened */
};
static struct session sessions[SESSIONS_MAX];
static uint64_t last_badge = BADGE(BADGE_TEXT, 0);

static struct session *session_find(uint64_t badge)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (sessions[i].badge == badge)
            return &sessions[i];
    return NULL;
}

static struct session *session_new(uint32_t owner, int *error)
{
    struct session *free_session = NULL;
    size_t owned = 0;

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].badge == 0)
            free_session = &sessions[i];
        else
            owned += sessions[i].owner == owner;
    }
    *error = owned >= SESSIONS_OF_ONE ? -EMFILE : -ENFILE;
    return owned < SESSIONS_OF_ONE ? free_session : NULL;
}

void text_closed(uint64_t badge)
{
    struct session *session = session_find(badge);
    if (session != NULL)
        session->badge = 0;
}

/* ---- Reading ---- */

/* All of a file's bytes but the log's. */
static const char *contents(const struct session *session, uint64_t offset, size_t *len)
{
    static uint64_t rendered_badge;
    static const char *text;
    static size_t text_len;

    if (session->fact.kind == FACT_BOOT_FILE) {
        *len = session->fact.file.size;
        return (const char *)session->fact.file.data;
    }
    if (offset == 0 || rendered_badge != session->badge) {
        text = fact_render(&session->fact, &text_len);
        rendered_badge = session->badge;
    }
    *len = text_len;
    return text;
}

static uint64_t file_size(const struct fact *fact)
{
    size_t len = 0;
    if (fact->kind == FACT_BOOT_FILE)
        return fact->file.size;
    if (fact_is_directory(fact) || fact->kind == FACT_LOG)
        return 0;
    const struct session unnamed = {.fact = *fact}; /* no badge: nobody's later read relies on it */
    contents(&unnamed, 0, &len);
    return len;
}

static int64_t read_log(struct request *request, struct session *session, uint64_t offset,
                        uint64_t length)
{
    char chunk[CHUNK_MAX];
    uint64_t at = session->log_base + offset;

    int64_t bytes = fact_log_read(&at, chunk, length < sizeof chunk ? length : sizeof chunk);
    if (bytes <= 0)
        return bytes;
    session->log_base = at - offset; /* moves only when old lines were lost meanwhile */
    int error = request_copy_out(request, 0, 0, chunk, (size_t)bytes);
    return error < 0 ? error : bytes;
}

static int64_t read_contents(struct request *request, struct session *session, uint64_t offset,
                             uint64_t length)
{
    size_t len;
    const char *text = contents(session, offset, &len);

    if (offset >= len)
        return 0;
    if (length > len - offset)
        length = len - offset;
    int error = request_copy_out(request, 0, 0, text + offset, length);
    return error < 0 ? error : (int64_t)length;
}

static int64_t read_request(struct request *request, struct session *session)
{
    const struct message *m = request->message;
    const struct fs_io_request *io = (const struct fs_io_request *)m->data;
    bool current = io->offset == FS_OFFSET_CURRENT;
    uint64_t offset = current ? session->offset : io->offset;

    if (fact_is_directory(&session->fact))
        return -EISDIR;
    if (m->window_count < 1)
        return -EINVAL;
    uint64_t length = io->length < m->windows[0].length ? io->length : m->windows[0].length;
    if (offset > INT64_MAX)
        return -EINVAL;
    int64_t bytes = session->fact.kind == FACT_LOG
                        ? read_log(request, session, offset, length)
                        : read_contents(request, session, offset, length);
    if (bytes > 0 && current)
        session->offset += (uint64_t)bytes;
    return bytes;
}

/* ---- Directories ---- */

static uint64_t inode_of(const struct fact *fact)
{
    if (fact->kind == FACT_BOOT_FILE)
        return (uint64_t)fact->kind << 32 | (uint64_t)(fact->file.data - init.archive);
    return (uint64_t)fact->kind << 32 | fact->pid;
}

static size_t pack_entry(uint8_t *buffer, const struct fact *directory, uint64_t cookie,
                         const struct fact_entry *entry)
{
    struct fs_dirent *record = (struct fs_dirent *)buffer;
    size_t name_len = strlen(entry->name);
    size_t record_len = (sizeof *record + name_len + 1 + 7) & ~(size_t)7;
    struct fact child = {0};

    memset(buffer, 0, record_len);
    if (fact_find(directory, entry->name, 0, &child) == 0)
        record->inode = inode_of(&child);
    record->next = cookie;
    record->record_len = (uint16_t)record_len;
    record->type = (uint8_t)((entry->directory ? FS_IFDIR : FS_IFREG) >> 12);
    record->name_len = (uint8_t)name_len;
    memcpy(record->name, entry->name, name_len);
    return record_len;
}

static int64_t readdir_request(struct request *request, struct session *session)
{
    static uint64_t buffer[CHUNK_MAX / sizeof(uint64_t)];
    const struct message *m = request->message;
    const struct fs_io_request *io = (const struct fs_io_request *)m->data;
    bool current = io->offset == FS_OFFSET_CURRENT;
    uint64_t cookie = current ? session->offset : io->offset;
    struct fact_entry entry;
    size_t used = 0;

    if (!fact_is_directory(&session->fact))
        return -ENOTDIR;
    if (m->window_count < 1)
        return -EINVAL;
    uint64_t room = io->length < m->windows[0].length ? io->length : m->windows[0].length;
    if (room > sizeof buffer)
        room = sizeof buffer;
    while (used + DIRENT_MAX <= room && fact_entry(&session->fact, &cookie, &entry))
        used += pack_entry((uint8_t *)buffer + used, &session->fact, cookie, &entry);
    if (used == 0)
        return room < DIRENT_MAX ? -EINVAL : 0;
    int error = request_copy_out(request, 0, 0, buffer, used);
    if (error < 0)
        return error;
    if (current)
        session->offset = cookie;
    return (int64_t)used;
}

/* ---- Names ---- */

static uint32_t mode_of(const struct fact *fact)
{
    if (fact_is_directory(fact))
        return FS_IFDIR | 0555;
    return FS_IFREG | (fact->kind == FACT_BOOT_FILE ? fact->file.mode & 0555 : 0444);
}

static int find_path(struct request *request, const struct fact *from, struct fact *found)
{
    char path[256];
    int len = request_path(request, path, sizeof path);
    if (len < 0)
        return len == -ENAMETOOLONG ? -ENOENT : len;
    return fact_find(from, path, request->message->sender, found);
}

static int64_t open_request(struct request *request, const struct fact *from)
{
    const uint32_t writing = FS_O_WRITE | FS_O_TRUNCATE | FS_O_APPEND;
    const struct fs_path_request *open = (const struct fs_path_request *)request->message->data;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    struct fact fact;

    int error = find_path(request, from, &fact);
    if (error == -ENOENT && (open->flags & FS_O_CREATE))
        return -EROFS;
    if (error < 0)
        return error;
    if ((open->flags & FS_O_CREATE) && (open->flags & FS_O_EXCLUSIVE))
        return -EEXIST;
    if (open->flags & writing)
        return fact_is_directory(&fact) ? -EISDIR : -EROFS;
    if ((open->flags & FS_O_DIRECTORY) && !fact_is_directory(&fact))
        return -ENOTDIR;
    struct session *session = session_new(request->message->sender, &error);
    if (session == NULL)
        return error;
    int64_t handle =
        handle_mint(init.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, last_badge + 1);
    if (handle < 0)
        return handle;
    *session =
        (struct session){.badge = ++last_badge, .owner = request->message->sender, .fact = fact};
    reply->mode = mode_of(&fact);
    reply->pad = 0;
    reply->size = file_size(&fact);
    request->reply->len = sizeof *reply;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

static int64_t answer_stat(struct request *request, const struct fact *fact)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;

    memset(&reply->stat, 0, sizeof reply->stat);
    reply->stat.inode = inode_of(fact);
    reply->stat.size = file_size(fact);
    reply->stat.blocks = (reply->stat.size + 511) / 512;
    reply->stat.mode = mode_of(fact);
    reply->stat.links = 1;
    reply->stat.block_size = CHUNK_MAX;
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t stat_request(struct request *request, const struct fact *from)
{
    struct fact fact;
    int error = find_path(request, from, &fact);
    return error < 0 ? error : answer_stat(request, &fact);
}

static int64_t seek_request(struct request *request, struct session *session)
{
    const struct fs_seek_request *seek = (const struct fs_seek_request *)request->message->data;
    int64_t base = 0, offset;

    if (seek->whence == FS_SEEK_CUR)
        base = (int64_t)session->offset;
    else if (seek->whence == FS_SEEK_END)
        base = (int64_t)file_size(&session->fact);
    else if (seek->whence != FS_SEEK_SET)
        return -EINVAL;
    if (__builtin_add_overflow(base, seek->offset, &offset) || offset < 0)
        return -EINVAL;
    session->offset = (uint64_t)offset;
    return offset;
}

/* ---- Dispatch ---- */

/* On an open file only. */
static int64_t session_request(struct request *request, struct session *session)
{
    const struct message *m = request->message;

    switch (m->type) {
    case FS_READ:
        return m->len < offsetof(struct fs_io_request, data) ? -EINVAL
                                                             : read_request(request, session);
    case FS_READDIR:
        return m->len < offsetof(struct fs_io_request, data) ? -EINVAL
                                                             : readdir_request(request, session);
    case FS_SEEK:
        return m->len < sizeof(struct fs_seek_request) ? -EINVAL : seek_request(request, session);
    case FS_FSTAT:
        return answer_stat(request, &session->fact);
    case FS_POLL:
        return FS_POLL_IN;
    case FS_FSYNC:
    case FS_CLOSE:
        return 0;
    case FS_WRITE:
    case FS_FTRUNCATE:
        return -EBADF; /* nothing here can be opened for writing */
    default:
        return -ENOSYS;
    }
}

int64_t text_request(struct request *request)
{
    const struct message *m = request->message;
    struct session *session = NULL;
    struct fact from;

    if (BADGE_CLASS(m->badge) == BADGE_TEXT) {
        session = session_find(m->badge);
        if (session == NULL)
            return -EBADF;
        from = session->fact;
    } else {
        if (BADGE_NUMBER(m->badge) < ROOT_PROC || BADGE_NUMBER(m->badge) > ROOT_SYS)
            return -EINVAL;
        from = fact_root((enum init_root)BADGE_NUMBER(m->badge));
    }
    switch (m->type) {
    case FS_OPEN:
        return open_request(request, &from);
    case FS_STAT:
        return stat_request(request, &from);
    case FS_READLINK:
        return -EINVAL;
    case FS_MKDIR:
    case FS_RMDIR:
    case FS_UNLINK:
    case FS_RENAME:
    case FS_LINK:
    case FS_SYMLINK:
    case FS_TRUNCATE:
    case FS_CHMOD:
    case FS_UTIME:
        return -EROFS;
    case FS_SYNC:
        return 0;
    default:
        return session != NULL ? session_request(request, session) : -ENOSYS;
    }
}
