/* ns: in the file protocol: a directory of the names that a view shows, and a text of them (what
 * it is depends on whether it is opened as a directory); each name is a file that says where it
 * leads. An opened file is a snapshot. */
#include "abi/errno.h"
#include "cairn/kept.h"
#include "cairn/syscall.h"
#include "cairn/textfile.h"
#include "nsd/nsd.h"
#include "proto/fs.h"
#include <stdlib.h>
#include <string.h>

#define SESSIONS_A_CLIENT 16

static struct kept_listing *sessions; /* LISTINGS_MAX */
static struct kept_calls *reads;
static struct text_session files[LISTINGS_MAX];

static char scratch[TEXT_MAX];

/* ---- Contents ------------------------------------------------------------------------------- */

static void add_line(struct text *out, const struct name_entry_info *info)
{
    if (info->target != NULL)
        text_print(out, "%-24.*s -> %.*s\n", (int)info->len, info->name, (int)info->target_len,
                   info->target);
    else
        text_print(out, "%-24.*s pid %u\n", (int)info->len, info->name, info->owner);
}

static void add_record(struct text *out, const struct name_entry_info *info)
{
    size_t len = info->len;
    while (len > 0 && info->name[len - 1] == '/')
        len--;
    size_t record_len = (sizeof(struct fs_dirent) + len + 1 + 7) & ~7ul;
    if (record_len > out->size - out->len)
        return;
    struct fs_dirent *record = (struct fs_dirent *)(out->data + out->len);
    memset(record, 0, record_len);
    out->len += record_len;
    record->inode = record->next = out->len;
    record->record_len = (uint16_t)record_len;
    record->type = FS_IFREG >> 12;
    record->name_len = (uint8_t)len;
    memcpy(record->name, info->name, len);
}

static size_t without_separators(const char *name, size_t len)
{
    while (len > 0 && (name[len - 1] == ':' || name[len - 1] == '/'))
        len--;
    return len;
}

/* What path stands for in a view, into scratch. 0 or -errno. */
static int make_contents(int view, const char *path, bool directory, struct text *out)
{
    struct name_entry_info info;
    while (*path == '/')
        path++;
    size_t len = without_separators(path, strlen(path));
    bool found = len == 0;
    *out = (struct text){.data = scratch, .size = sizeof scratch};
    if (!found && directory)
        return -ENOTDIR;
    for (size_t i = 0; name_table_list(name_table, view, i, &info) == 0; i++) {
        bool wanted = len == 0 || (without_separators(info.name, info.len) == len &&
                                   memcmp(info.name, path, len) == 0);
        found |= wanted;
        if (wanted && directory)
            add_record(out, &info);
        else if (wanted)
            add_line(out, &info);
    }
    return found ? 0 : -ENOENT;
}

/* ---- Operations ----------------------------------------------------------------------------- */

static int free_session(uint32_t client)
{
    int found = -ENFILE;
    unsigned own = 0;
    for (int i = LISTINGS_MAX - 1; i >= 0; i--) {
        if (sessions[i].badge == 0)
            found = i;
        else if (sessions[i].client == client)
            own++;
    }
    return own < SESSIONS_A_CLIENT ? found : -EMFILE;
}

static bool file_fill(struct text_session *file, const struct text *contents, bool directory)
{
    char *data = malloc(contents->len + 1);
    if (data == NULL)
        return false;
    memcpy(data, scratch, contents->len);
    *file = (struct text_session){.directory = directory, .data = data, .len = contents->len};
    return true;
}

static int64_t open_path(struct request *request, uint64_t face)
{
    int view = view_of_badge(face);
    if (view < 0)
        return view;
    char path[FS_PATH_MAX];
    struct text contents;
    int error = request_path(request, path, sizeof path);
    if (error < 0)
        return error;
    unsigned flags = ((const struct fs_path_request *)request->message->data)->flags;
    bool directory = (flags & FS_O_DIRECTORY) != 0;
    int slot = free_session(request->message->sender);
    if (slot < 0)
        return slot;
    error = make_contents(view, path, directory, &contents);
    if (error == 0 && strlen(path) >= sizeof sessions[slot].path)
        error = -ENAMETOOLONG;
    if (error)
        return error == -ENOENT && (flags & FS_O_CREATE) ? -EROFS : error;
    if (flags & (FS_O_WRITE | FS_O_TRUNCATE))
        return -EROFS;
    if (!file_fill(&files[slot], &contents, directory))
        return -ENOMEM;
    uint64_t badge = badge_new(CLASS_OPEN, (unsigned)slot);
    int64_t handle = handle_mint(service, CLIENT_RIGHTS, badge);
    if (handle < 0) {
        free(files[slot].data);
        return handle;
    }
    sessions[slot] = (struct kept_listing){
        .face = face, .client = request->message->sender, .directory = directory};
    memcpy(sessions[slot].path, path, strlen(path)); /* it is a name, or a few separators */
    kept_barrier();
    sessions[slot].badge = badge;
    struct fs_stat stat;
    text_fstat(&files[slot], &stat);
    *(struct fs_open_reply *)request->reply->data =
        (struct fs_open_reply){.mode = stat.mode, .size = stat.size};
    request->reply->len = sizeof(struct fs_open_reply);
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

static int64_t answer_stat(struct request *request, const struct text_session *file)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    text_fstat(file, &reply->stat);
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t stat_path(struct request *request, uint64_t face)
{
    int view = view_of_badge(face);
    if (view < 0)
        return view;
    char path[FS_PATH_MAX];
    struct text contents;
    int error = request_path(request, path, sizeof path);
    if (error >= 0)
        error = make_contents(view, path, false, &contents);
    if (error)
        return error;
    struct text_session file = {.len = contents.len};
    file.directory = path[strspn(path, ":/")] == '\0';
    return answer_stat(request, &file);
}

static int64_t read_file(struct request *request, struct text_session *file)
{
    const struct message *m = request->message;
    const struct fs_io_request *io = (const struct fs_io_request *)m->data;
    bool records = m->type == FS_READDIR;
    const char *data;
    if (m->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    if (file->directory != records)
        return records ? -ENOTDIR : -EISDIR;
    size_t len = io->length;
    uint64_t before = file->offset;
    int error = 0;
    if (len == 0)
        return 0;
    if (m->window_count < 1 || !(m->windows[0].access & WINDOW_WRITE) || len > m->windows[0].length)
        return -EINVAL;
    if (records)
        error = text_peek_entries(file, io->offset, &data, &len);
    else
        data = text_peek(file, io->offset, &len);
    if (error == 0)
        error = request_copy_out(request, 0, 0, data, len);
    if (error)
        file->offset = before;
    return error ? error : (int64_t)len;
}

static int64_t open_request(struct request *request, struct text_session *file, uint64_t face)
{
    const struct message *m = request->message;
    if (file->dead)
        return -EBADF;
    switch (m->type) {
    case FS_OPEN:
        return file->directory ? open_path(request, face) : -ENOTDIR;
    case FS_STAT:
        return file->directory ? stat_path(request, face) : -ENOTDIR;
    case FS_READ:
    case FS_READDIR:
        return read_file(request, file);
    case FS_FSTAT:
        return answer_stat(request, file);
    case FS_SEEK: {
        const struct fs_seek_request *seek = (const struct fs_seek_request *)m->data;
        return m->len < sizeof *seek ? -EINVAL : text_seek(file, seek->offset, seek->whence);
    }
    case FS_POLL:
        return FS_POLL_IN;
    case FS_CLOSE:
        file->dead = true;
        return 0;
    case FS_FSYNC:
        return 0;
    case FS_WRITE:
    case FS_FTRUNCATE:
        return -EBADF;
    default:
        return -ENOSYS;
    }
}

static int64_t session_request(struct request *request, struct kept_listing *session,
                               struct text_session *file)
{
    const uint64_t *before = kept_noted(reads, request->token);
    file->dead = session->dead;
    file->offset = before ? *before : session->offset;
    kept_note(reads, request->token, file->offset);
    int64_t result = open_request(request, file, session->face);
    session->offset = file->offset;
    session->dead = file->dead;
    return result;
}

int64_t listing_request(struct request *request)
{
    const struct message *m = request->message;
    if (BADGE_CLASS(m->badge) == CLASS_OPEN) {
        unsigned slot = BADGE_SLOT(m->badge);
        if (slot >= LISTINGS_MAX || sessions[slot].badge != m->badge)
            return -EBADF;
        return session_request(request, &sessions[slot], &files[slot]);
    }
    int view = view_of_badge(m->badge);
    if (view < 0)
        return view;
    switch (m->type) {
    case FS_OPEN:
        return open_path(request, m->badge);
    case FS_STAT:
        return stat_path(request, m->badge);
    default:
        return m->type >= FS_MKDIR && m->type <= FS_SYMLINK && m->type != FS_SYNC ? -EROFS
                                                                                  : -ENOSYS;
    }
}

void listing_closed(uint64_t badge)
{
    unsigned slot = BADGE_SLOT(badge);
    if (slot >= LISTINGS_MAX || sessions[slot].badge != badge)
        return;
    free(files[slot].data);
    sessions[slot].badge = 0;
}

void listing_start(void)
{
    sessions = keep_listings(&reads);
    for (unsigned i = 0; i < LISTINGS_MAX; i++) {
        struct text contents = {0};
        int view = sessions[i].badge ? view_of_badge(sessions[i].face) : -ENOENT;
        sessions[i].path[sizeof sessions[i].path - 1] = '\0';
        if (view >= 0 && make_contents(view, sessions[i].path, sessions[i].directory, &contents))
            contents.len = 0;
        if (sessions[i].badge && !file_fill(&files[i], &contents, sessions[i].directory))
            sessions[i].badge = 0;
    }
}
