/* URLs: taken apart, and relative ones put together with what they are relative to. */
#include "http/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* is_url_text: printable ASCII without the blank: nothing that would break a request line. */
static bool is_url_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    return true;
}

static bool take_port(const char *text, size_t length, uint16_t *port)
{
    unsigned value = 0;
    if (length == 0) /* "host:" is allowed, and means the usual one */
        return true;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || value > 65535)
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= 65535;
}

/* take_authority: host [":" port], the host perhaps an IPv6 address in brackets. */
static int take_authority(const char *text, size_t length, struct http_url *url)
{
    const char *host = text, *end = text + length, *host_end;

    if (memchr(text, '@', length) != NULL)
        return -EINVAL;
    if (length > 0 && text[0] == '[') {
        host = text + 1;
        host_end = memchr(text, ']', length);
        text = host_end ? host_end + 1 : end;
    } else {
        host_end = memchr(text, ':', length);
        if (host_end == NULL)
            host_end = end;
        text = host_end;
    }
    if (host_end == NULL || host_end == host || (text < end && *text != ':'))
        return -EINVAL;
    if ((size_t)(host_end - host) >= HTTP_HOST_MAX)
        return -ENAMETOOLONG;
    if (text < end && !take_port(text + 1, (size_t)(end - text - 1), &url->port))
        return -EINVAL;
    memcpy(url->host, host, (size_t)(host_end - host));
    url->host[host_end - host] = '\0';
    return strpbrk(url->host, "/\\[]<>\"") == NULL ? 0 : -EINVAL;
}

/* set_target: a path with a query, without its fragment; '/' goes in front if it is not there. */
static int set_target(struct http_url *url, const char *text)
{
    size_t length = strcspn(text, "#"), slash = text[0] != '/';
    if (length + slash >= HTTP_URL_MAX)
        return -ENAMETOOLONG;
    url->target[0] = '/';
    memcpy(url->target + slash, text, length);
    url->target[length + slash] = '\0';
    return 0;
}

/* scheme_length: of "scheme:" in front of a URL, RFC 3986 3.1; 0 if there is none. */
static size_t scheme_length(const char *text)
{
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return text[length] == ':' ? length : 0;
}

/* parse_rest: what comes behind "scheme://". */
static int parse_rest(const char *text, bool secure, struct http_url *url)
{
    struct http_url parsed = {.secure = secure, .port = secure ? 443 : 80};
    size_t authority = strcspn(text, "/?#");

    int error = take_authority(text, authority, &parsed);
    if (error == 0)
        error = set_target(&parsed, text + authority);
    if (error == 0)
        *url = parsed;
    return error;
}

int http_url_parse(const char *text, struct http_url *url)
{
    size_t scheme = scheme_length(text);

    if (!is_url_text(text))
        return -EINVAL;
    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return parse_rest(text, false, url); /* "host:8080/" has no scheme */
    if (scheme == 4 && strncasecmp(text, "http", 4) == 0)
        return parse_rest(text + 7, false, url);
    if (scheme == 5 && strncasecmp(text, "https", 5) == 0)
        return parse_rest(text + 8, true, url);
    return -EPROTONOSUPPORT;
}

/* remove_dots: "." and ".." as segments of the path (RFC 3986 5.2.4), in place. */
static void remove_dots(char *target)
{
    char *from = target, *to = target, *end = target + strcspn(target, "?");

    while (from < end) {
        size_t segment = 1 + strcspn(from + 1, "/?"); /* with its slash in front */
        bool last = from + segment == end;
        if (segment == 2 && from[1] == '.') {
            if (last)
                *to++ = '/';
        } else if (segment == 3 && from[1] == '.' && from[2] == '.') {
            while (to > target && *--to != '/')
                ;
            if (last)
                *to++ = '/';
        } else {
            memmove(to, from, segment);
            to += segment;
        }
        from += segment;
    }
    memmove(to, end, strlen(end) + 1);
}

/* follow_relative: a path or a query that is relative to the target. */
static int follow_relative(struct http_url *url, const char *location)
{
    char joined[2 * HTTP_URL_MAX];
    size_t keep = strcspn(url->target, "?");

    if (location[0] == '/')
        keep = 0;
    else if (location[0] != '?' && location[0] != '\0' && location[0] != '#')
        while (url->target[keep - 1] != '/')
            keep--;
    else if (location[0] != '?')
        keep = strlen(url->target);
    if (keep + strlen(location) >= HTTP_URL_MAX)
        return -ENAMETOOLONG;
    memcpy(joined, url->target, keep);
    strcpy(joined + keep, location);
    joined[strcspn(joined, "#")] = '\0';
    remove_dots(joined);
    return set_target(url, joined);
}

int http_url_follow(struct http_url *url, const char *location)
{
    size_t scheme = scheme_length(location);

    if (!is_url_text(location))
        return -EINVAL;
    if (strncmp(location, "//", 2) == 0)
        return parse_rest(location + 2, url->secure, url);
    if (scheme == 0 || strcspn(location, "/?#") < scheme)
        return follow_relative(url, location);
    if (strncmp(location + scheme, "://", 3) != 0)
        return -EPROTONOSUPPORT;
    return http_url_parse(location, url);
}

char *http_url_authority(const struct http_url *url, char *text)
{
    bool bracket = strchr(url->host, ':') != NULL;
    int length = sprintf(text, bracket ? "[%s]" : "%s", url->host);
    if (url->port != (url->secure ? 443 : 80))
        sprintf(text + length, ":%u", url->port);
    return text;
}
