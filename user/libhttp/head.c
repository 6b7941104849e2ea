/* The head of an HTTP message: lines, fields, and what is told by some of them. */
#include "http/head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* is_token_char: tchar of RFC 9110 5.6.2. */
static bool is_token_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* is_value_char: field-vchar, blank and tab, and obs-text (RFC 9110 5.5). */
static bool is_value_char(char c)
{
    return c == '\t' || (unsigned char)c >= 0x80 || (c >= ' ' && c < 0x7f);
}

bool http_is_token(const char *text)
{
    if (*text == '\0')
        return false;
    while (is_token_char(*text))
        text++;
    return *text == '\0';
}

bool http_is_value(const char *text)
{
    while (is_value_char(*text))
        text++;
    return *text == '\0';
}

size_t http_head_length(const char *data, size_t length)
{
    const char *at = data, *end = data + length, *newline;

    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        size_t line = (size_t)(newline - at);
        if (at != data && (line == 0 || (line == 1 && at[0] == '\r')))
            return (size_t)(newline + 1 - data);
        at = newline + 1;
    }
    return 0;
}

/* take_line: cuts the next line off, without CR LF (or LF alone, RFC 9112 2.2), and ends it with a
 * zero; NULL if there is a character in it that no line has. */
static char *take_line(char **at, const char *end)
{
    char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));
    if (newline == NULL)
        return NULL;
    *at = newline + 1;
    if (newline > line && newline[-1] == '\r')
        newline--;
    *newline = '\0';
    for (const char *c = line; c < newline; c++)
        if (!is_value_char(*c))
            return NULL;
    return line;
}

/* take_version: "HTTP/1.1" in front of *text. */
static bool take_version(const char **text, struct http_head *head)
{
    const char *t = *text;
    if (strncmp(t, "HTTP/", 5) != 0 || !is_digit(t[5]) || t[6] != '.' || !is_digit(t[7]))
        return false;
    head->major = t[5] - '0';
    head->minor = t[7] - '0';
    *text = t + 8;
    return true;
}

/* parse_status: HTTP-version SP 3DIGIT SP [ text ] (RFC 9112 4). The blank behind the number is
 * missing in what some servers send. */
static bool parse_status(char *line, struct http_head *head)
{
    const char *at = line;
    if (!take_version(&at, head) || at[0] != ' ' || !is_digit(at[1]) || !is_digit(at[2]) ||
        !is_digit(at[3]) || (at[4] != ' ' && at[4] != '\0'))
        return false;
    head->status = (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
    head->text = at[4] == ' ' ? at + 5 : at + 4;
    return head->status >= 100 && head->status < 600;
}

/* parse_request: method SP target SP HTTP-version (RFC 9112 3). */
static bool parse_request(char *line, struct http_head *head)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    if (version == NULL)
        return false;
    *target++ = '\0';
    *version++ = '\0';
    head->method = line;
    head->target = target;
    const char *at = version;
    return take_version(&at, head) && *at == '\0' && http_is_token(line) && *target != '\0' &&
           strchr(target, '\t') == NULL;
}

static char *trim(char *value)
{
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    value[length] = '\0';
    return value;
}

static int parse_fields(char *at, const char *end, struct http_head *head)
{
    char *line;
    while ((line = take_line(&at, end)) != NULL && *line != '\0') {
        char *colon = strchr(line, ':');
        if (colon == NULL)
            return -EPROTO;
        *colon = '\0';
        if (!http_is_token(line))
            return -EPROTO;
        if (head->count == HTTP_FIELDS_MAX)
            return -E2BIG;
        head->fields[head->count++] = (struct http_field){line, trim(colon + 1)};
    }
    return line != NULL ? 0 : -EPROTO;
}

static int parse(char *data, size_t length, struct http_head *head,
                 bool (*first)(char *line, struct http_head *head))
{
    char *at = data;
    *head = (struct http_head){.count = 0};
    char *line = take_line(&at, data + length);
    if (line == NULL || !first(line, head))
        return -EPROTO;
    return parse_fields(at, data + length, head);
}

int http_head_response(char *data, size_t length, struct http_head *head)
{
    return parse(data, length, head, parse_status);
}

int http_head_request(char *data, size_t length, struct http_head *head)
{
    return parse(data, length, head, parse_request);
}

const char *http_field(const struct http_head *head, const char *name)
{
    for (unsigned i = 0; i < head->count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

static bool list_has(const char *list, const char *token)
{
    size_t wanted = strlen(token);
    while (*list != '\0') {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        if (length == wanted && strncasecmp(list, token, length) == 0)
            return true;
        list += length;
    }
    return false;
}

bool http_has_token(const struct http_head *head, const char *name, const char *token)
{
    for (unsigned i = 0; i < head->count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0 && list_has(head->fields[i].value, token))
            return true;
    return false;
}

static int64_t number(const char *text)
{
    int64_t value = 0;
    if (!is_digit(*text))
        return -EPROTO;
    for (; is_digit(*text); text++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return -EPROTO;
    return *text == '\0' ? value : -EPROTO;
}

int64_t http_content_length(const struct http_head *head)
{
    int64_t length = -ENODATA;
    for (unsigned i = 0; i < head->count; i++) {
        if (strcasecmp(head->fields[i].name, "Content-Length") != 0)
            continue;
        int64_t said = number(head->fields[i].value);
        if (said < 0 || (length >= 0 && said != length))
            return -EPROTO;
        length = said;
    }
    return length;
}
