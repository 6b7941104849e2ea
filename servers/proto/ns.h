/* The name protocol of nsd. A namespace (a view) is a badged send handle to nsd; names are URIs
 * such as "fs:root:etc/motd". A prefix matches on whole segments (segments end at ':' or '/');
 * the longest one wins. Every reply starts with int64_t result (>= 0, or -errno). */
#pragma once

#include <stdint.h>

enum ns_operation {
    NS_REGISTER = 1,   /* prefix, handle 0 = send handle (of its rights SEND, DUP and TRANSFER are
                          kept; ELOOP if it leads to nsd itself); EEXIST if taken, unless by the same channel (then nothing
                          changes) or by one that nobody receives on any more. The entry goes away
                          with NS_UNREGISTER or when the registering process's view closes */
    NS_UNREGISTER = 2, /* prefix; only by the process that registered it */
    NS_RESOLVE = 3,    /* uri; reply: handle 0, struct ns_resolve_reply */
    NS_WAIT = 4,       /* as resolve, but waits until a prefix matches (use a call deadline) */
    NS_LIST = 5,       /* index; reply: struct ns_list_reply; ENOENT behind the last */
    NS_ALIAS = 6,      /* name, target: both prefixes, separated by NUL in text */
    NS_VIEW = 7,       /* flags; reply: handle 0 = a new view */
    /* The rules of a view: set by the process that made it, and by no other (EPERM). */
    NS_RESTRICT = 8,   /* prefix: the view now shows only names under prefixes so named */
    NS_BIND = 9,       /* prefix, handle 0: in this view only, prefix leads here (hides the rest) */
    NS_REBIND = 10,    /* name, target (as alias), in this view only */
    NS_HIDE = 11,      /* prefix: not found in this view */
};

enum {
    NS_VIEW_EMPTY = 1,     /* not a copy of this view, but empty */
    NS_VIEW_READ_ONLY = 2, /* no register, alias, bind through it */
};

#define NS_URI_MAX 240

/* Set in matched when longer names exist under the prefix: a client must not remember the prefix
 * as an answer for other names, only for this very one. */
#define NS_MATCHED_DEEPER 0x80000000u

struct ns_request {
    uint32_t flags; /* or index */
    uint32_t len;   /* bytes of text */
    char text[NS_URI_MAX];
};

struct ns_resolve_reply {
    int64_t result;
    uint32_t matched; /* bytes of the uri *after aliasing* that the prefix took */
    uint32_t rest_len;
    char rest[NS_URI_MAX - 24]; /* what the server is asked for */
};

struct ns_list_reply {
    int64_t result;
    uint32_t owner; /* pid that registered, 0 = nsd itself */
    uint32_t len;
    uint32_t alias_len; /* > 0: an alias; its target follows the name */
    uint32_t pad;
    char text[NS_URI_MAX - 24];
};
