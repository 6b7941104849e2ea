/* One client: its requests, one after the other, and what they are answered with. Nothing here
 * waits: a connection is called when its socket is ready, and says what for it wants to be called
 * next. */
#pragma once

#include "http/head.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 8192
#define ANSWER_HEAD 1024

struct connection {
    int fd;         /* -1 = free */
    bool writing;   /* an answer is on its way; else a request is awaited */
    bool keep;      /* there may be another request */
    bool closing;   /* all is said; the client's last words are read, then it ends */
    uint64_t until; /* ns: when it will have stood still for too long */
    size_t used;    /* of request */
    char request[REQUEST_MAX];
    size_t head_length; /* bytes of the request being answered */
    /* The answer: what is at `out`, then the file. */
    char head[ANSWER_HEAD];
    char *page; /* a page made for this answer, head in front; or NULL: the head alone is sent */
    size_t out_start, out_end;
    int file; /* -1 = none */
    uint64_t file_at, file_left;
};

void connection_begin(struct connection *connection, int fd);
/* connection_ready: false: it is over, and has been ended. */
bool connection_ready(struct connection *connection);
void connection_end(struct connection *connection);

/* respond: what the request in `head` is answered with is put into the connection. */
void respond(struct connection *connection, const struct http_head *head);
/* respond_error: the same for what was no request. */
void respond_error(struct connection *connection, int status);

/* Whether each answer is a line on standard output. */
extern bool connection_log;
