/* Generated text behind the file protocol: a server gives a table of names and generators, and
 * gets files and directories that cat, ls and stat work on.
 *
 * A file's text is made when it is opened, so that a reader sees one moment, however slowly it
 * reads. Names are segments separated by ':' or '/', which mean the same. */
#pragma once

#include "abi/handle.h"
#include "proto/fs.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX 65536           /* bytes in one file; longer ones are cut */
#define TEXT_SESSIONS 64         /* open files and directories in all */
#define TEXT_SESSIONS_A_CLIENT 16
#define TEXT_NAME_MAX 128        /* bytes of a path inside a tree */

/* Text under construction. text_print appends; what does not fit is dropped. */
struct text {
    char *data;
    size_t len, size;
};
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct text_file {
    /* "list", "*:state", or "" for the tree itself. A segment "*" stands for any text. */
    const char *name;
    /* Makes the text of the file called name. 0 or -errno (-ENOENT if there is none). */
    int (*generate)(void *context, const char *name, struct text *out);
    /* For a name with "*": the index-th text that it stands for (into 64 bytes), or -ENOENT
     * behind the last. Of several rows with "*" in the same place the first is asked. */
    int (*list)(void *context, size_t index, char *value);
};

/* A root: what one registered name leads to. badge is that of the handle that was registered, by
 * which requests tell their tree (0: the plain channel). */
struct text_tree {
    uint64_t badge;
    const struct text_file *files;
    size_t count;
    void *context;
};

struct text_session {
    bool used, dead; /* dead: closed by FS_CLOSE, but handles to it are still about */
    uint32_t client; /* pid of the opener */
    const struct text_tree *tree;
    bool directory;
    char path[TEXT_NAME_MAX];
    char *data; /* snapshot: text, or packed directory records */
    size_t len;
    uint64_t offset;
};

struct text_server {
    const struct text_tree *trees;
    size_t tree_count;
    handle_t channel;    /* to mint sessions from; RIGHT_MINT */
    uint64_t badge_base; /* badges of sessions are badge_base .. badge_base + TEXT_SESSIONS - 1 */
    struct text_session sessions[TEXT_SESSIONS];
};

/* text_server_request: answers one request of the file protocol, on a root or a session; returns
 * what a handler returns (cairn/server.h), -ENOSYS for other operations. */
struct request;
int64_t text_server_request(struct text_server *server, struct request *request);

/* text_server_closed: for the closed hook; ignores badges of others. */
void text_server_closed(struct text_server *server, uint64_t badge);

/* The core below the messages: text in memory, no calls. */

/* text_open: makes a session for path. Slot or -errno. */
int text_open(struct text_server *server, const struct text_tree *tree, uint32_t client,
              const char *path, unsigned flags);
void text_release(struct text_server *server, unsigned slot);

/* text_peek: what a read of len bytes at offset (or FS_OFFSET_CURRENT) finds: a pointer into the
 * snapshot and its length, moving the session's own offset if that was asked for. */
const char *text_peek(struct text_session *session, uint64_t offset, size_t *len);

/* text_peek_entries: the same for a directory: whole records only. -EINVAL: len is too small. */
int text_peek_entries(struct text_session *session, uint64_t cookie, const char **data, size_t *len);
int64_t text_seek(struct text_session *session, int64_t offset, unsigned whence);
int text_stat(struct text_server *server, const struct text_tree *tree, const char *path,
              struct fs_stat *stat);
void text_fstat(const struct text_session *session, struct fs_stat *stat);
