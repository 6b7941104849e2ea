/* URLs of the schemes http and https (RFC 3986, RFC 9110 4.2). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_URL_MAX  2048
#define HTTP_HOST_MAX 256

struct http_url {
    bool secure; /* https */
    uint16_t port;
    char host[HTTP_HOST_MAX];  /* without the brackets of an IPv6 address */
    char target[HTTP_URL_MAX]; /* path and query, begins with '/' */
};

/* http_url_parse: text is an absolute URL, or one without "http://" in front; a fragment is left
 * out. -EINVAL: it is none, has a user's name in it or a character that URLs do not have;
 * -ENAMETOOLONG; -EPROTONOSUPPORT: another scheme. */
int http_url_parse(const char *text, struct http_url *url);

/* http_url_follow: url becomes what `location` means when it is found there (RFC 3986 5.2). Errors
 * as above; url is then as it was. */
int http_url_follow(struct http_url *url, const char *location);

/* http_url_authority: host and, unless it is the usual one, port, as the Host field wants them;
 * needs HTTP_HOST_MAX + 10 bytes; returns text. */
char *http_url_authority(const struct http_url *url, char *text);
