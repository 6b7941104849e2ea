/* The core of generated files: matching names, making snapshots, reading them.
 *
 * Invariant: a used session owns its snapshot, and nothing else is kept of what was generated. */
#include "cairn/textfile.h"

#include "abi/errno.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 64

static char scratch[TEXT_MAX]; /* a text before its length is known; one server thread */

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;
    size_t room = text->size - text->len;
    va_start(arguments, format);
    int n = vsnprintf(text->data + text->len, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        text->len += (size_t)n < room ? (size_t)n : room ? room - 1 : 0;
}

/* ---- Names ---- */

static size_t segment_len(const char *name)
{
    return strcspn(name, ":/");
}

/* The segment behind this one, or NULL behind the last. "" has no segment at all. */
static const char *next_segment(const char *name)
{
    size_t len = segment_len(name);
    return name[len] ? name + len + 1 : NULL;
}

static const char *first_segment(const char *name)
{
    return *name ? name : NULL;
}

static bool is_wildcard(const char *segment)
{
    return segment_len(segment) == 1 && *segment == '*';
}

static bool segment_matches(const char *pattern, const char *name)
{
    size_t len = segment_len(pattern);
    if (is_wildcard(pattern))
        return segment_len(name) > 0;
    return len == segment_len(name) && memcmp(pattern, name, len) == 0;
}

/* Follows name into pattern. True if all of name matches; *rest = what the pattern goes on with,
 * NULL if it ends there, too. */
static bool pattern_follow(const char *pattern, const char *name, const char **rest)
{
    const char *p = first_segment(pattern), *n = first_segment(name);
    while (p && n) {
        if (!segment_matches(p, n))
            return false;
        p = next_segment(p);
        n = next_segment(n);
    }
    *rest = p;
    return n == NULL;
}

static const struct text_file *find_file(const struct text_tree *tree, const char *path)
{
    const char *rest;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->files[i].generate && pattern_follow(tree->files[i].name, path, &rest) && !rest)
            return &tree->files[i];
    return NULL;
}

/* Whether value is among those that the row's "*" stands for. */
static bool is_listed(const struct text_tree *tree, const struct text_file *file, const char *value,
                      size_t len)
{
    char listed[VALUE_MAX];
    if (!file->list)
        return true;
    for (size_t i = 0; file->list(tree->context, i, listed) == 0; i++)
        if (strlen(listed) == len && memcmp(listed, value, len) == 0)
            return true;
    return false;
}

/* Whether the row's file lies in or below the directory path: *rest = its name from there. Each
 * "*" on the way must stand for what the path says. */
static bool lies_below(const struct text_tree *tree, const struct text_file *file,
                       const char *path, const char **rest)
{
    if (!pattern_follow(file->name, path, rest) || !*rest)
        return false;
    const char *p = first_segment(file->name), *n = first_segment(path);
    for (; n; p = next_segment(p), n = next_segment(n))
        if (is_wildcard(p) && !is_listed(tree, file, n, segment_len(n)))
            return false;
    return true;
}

static bool is_directory(const struct text_tree *tree, const char *path)
{
    const char *rest;
    for (size_t i = 0; i < tree->count; i++)
        if (lies_below(tree, &tree->files[i], path, &rest))
            return true;
    return false;
}

/* ---- Directories ---- */

static void add_entry(struct text *out, const char *name, size_t len, bool directory)
{
    size_t record = (sizeof(struct fs_dirent) + len + 1 + 7) & ~7ul;
    if (len > FS_NAME_MAX || record > out->size - out->len)
        return;
    struct fs_dirent *entry = (struct fs_dirent *)(out->data + out->len);
    memset(entry, 0, record);
    out->len += record;
    entry->inode = out->len; /* any number but 0 */
    entry->next = out->len;
    entry->record_len = (uint16_t)record;
    entry->type = (directory ? FS_IFDIR : FS_IFREG) >> 12;
    entry->name_len = (uint8_t)len;
    memcpy(entry->name, name, len);
}

/* Whether an earlier row has the same next segment in this directory. */
static bool seen_before(const struct text_tree *tree, const char *path, size_t row,
                        const char *segment)
{
    const char *rest;
    for (size_t i = 0; i < row; i++)
        if (lies_below(tree, &tree->files[i], path, &rest) &&
            segment_len(rest) == segment_len(segment) &&
            memcmp(rest, segment, segment_len(segment)) == 0)
            return true;
    return false;
}

static void list_directory(const struct text_tree *tree, const char *path, struct text *out)
{
    const char *rest;
    for (size_t row = 0; row < tree->count; row++) {
        const struct text_file *file = &tree->files[row];
        if (!lies_below(tree, file, path, &rest) || seen_before(tree, path, row, rest))
            continue;
        bool directory = next_segment(rest) != NULL;
        if (!is_wildcard(rest)) {
            add_entry(out, rest, segment_len(rest), directory);
            continue;
        }
        char value[VALUE_MAX];
        for (size_t i = 0; file->list && file->list(tree->context, i, value) == 0; i++)
            add_entry(out, value, strlen(value), directory);
    }
}

/* ---- Sessions ---- */

static int find_slot(const struct text_server *server, uint32_t client)
{
    unsigned own = 0;
    int free_slot = -ENFILE;
    for (int i = TEXT_SESSIONS - 1; i >= 0; i--) {
        if (!server->sessions[i].used)
            free_slot = i;
        else if (server->sessions[i].client == client)
            own++;
    }
    return own < TEXT_SESSIONS_A_CLIENT ? free_slot : -EMFILE;
}

/* Makes what path names in the scratch buffer. 0 or -errno. */
static int make_snapshot(const struct text_tree *tree, const char *path, struct text *text,
                         bool *directory)
{
    const struct text_file *file = find_file(tree, path);
    *text = (struct text){scratch, 0, sizeof scratch};
    *directory = !file;
    if (file)
        return file->generate(tree->context, path, text);
    if (!is_directory(tree, path))
        return -ENOENT;
    list_directory(tree, path, text);
    return 0;
}

int text_open(struct text_server *server, const struct text_tree *tree, uint32_t client,
              const char *path, unsigned flags)
{
    struct text text;
    bool directory;
    int slot = find_slot(server, client);
    if (slot < 0)
        return slot;
    if (strlen(path) >= TEXT_NAME_MAX)
        return -ENAMETOOLONG;
    int error = make_snapshot(tree, path, &text, &directory);
    if (error == -ENOENT && (flags & FS_O_CREATE))
        return -EROFS;
    if (error)
        return error;
    if (flags & (FS_O_WRITE | FS_O_TRUNCATE))
        return directory ? -EISDIR : -EACCES;
    if ((flags & FS_O_DIRECTORY) && !directory)
        return -ENOTDIR;
    char *data = malloc(text.len ? text.len : 1);
    if (!data)
        return -ENOMEM;
    memcpy(data, text.data, text.len);
    struct text_session *session = &server->sessions[slot];
    *session = (struct text_session){.used = true,
                                     .client = client,
                                     .tree = tree,
                                     .directory = directory,
                                     .data = data,
                                     .len = text.len};
    strcpy(session->path, path);
    return slot;
}

void text_release(struct text_server *server, unsigned slot)
{
    struct text_session *session = &server->sessions[slot];
    free(session->data);
    *session = (struct text_session){0};
}

const char *text_peek(struct text_session *session, uint64_t offset, size_t *len)
{
    uint64_t at = offset == FS_OFFSET_CURRENT ? session->offset : offset;
    if (at > session->len)
        at = session->len;
    if (*len > session->len - at)
        *len = session->len - at;
    if (offset == FS_OFFSET_CURRENT)
        session->offset = at + *len;
    return session->data + at;
}

int text_peek_entries(struct text_session *session, uint64_t cookie, const char **data, size_t *len)
{
    uint64_t start = cookie == FS_OFFSET_CURRENT ? session->offset : cookie;
    /* A cookie is a position in the snapshot, but only where a record begins. */
    uint64_t at = 0;
    while (at < session->len && at < start)
        at = ((const struct fs_dirent *)(session->data + at))->next;
    if (at != start && start < session->len)
        return -EINVAL;
    uint64_t end = at;
    while (end < session->len) {
        uint64_t next = ((const struct fs_dirent *)(session->data + end))->next;
        if (next - at > *len)
            break;
        end = next;
    }
    if (end == at && at < session->len)
        return -EINVAL;
    *data = session->data + at;
    *len = end - at;
    if (cookie == FS_OFFSET_CURRENT)
        session->offset = end;
    return 0;
}

int64_t text_seek(struct text_session *session, int64_t offset, unsigned whence)
{
    int64_t base = 0;
    if (whence == FS_SEEK_CUR)
        base = (int64_t)session->offset;
    else if (whence == FS_SEEK_END)
        base = (int64_t)session->len;
    else if (whence != FS_SEEK_SET)
        return -EINVAL;
    int64_t to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0)
        return -EINVAL;
    session->offset = (uint64_t)to;
    return to;
}

static void fill_stat(struct fs_stat *stat, bool directory, size_t len)
{
    memset(stat, 0, sizeof *stat);
    stat->mode = directory ? FS_IFDIR | 0555 : FS_IFREG | 0444;
    stat->links = 1;
    stat->size = directory ? 0 : len;
    stat->blocks = (stat->size + 511) / 512;
    stat->block_size = 4096;
}

int text_stat(struct text_server *server, const struct text_tree *tree, const char *path,
              struct fs_stat *stat)
{
    struct text text;
    bool directory;
    (void)server;
    int error = make_snapshot(tree, path, &text, &directory);
    if (!error)
        fill_stat(stat, directory, text.len);
    return error;
}

void text_fstat(const struct text_session *session, struct fs_stat *stat)
{
    fill_stat(stat, session->directory, session->len);
}
