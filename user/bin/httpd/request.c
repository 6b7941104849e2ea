/* What a request asks for, out of its text. */
#include "request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* skip_origin: an absolute target's scheme and host (RFC 9112 3.2.2). */
static const char *skip_origin(const char *target)
{
    if (strncasecmp(target, "http://", 7) != 0)
        return target;
    target += 7;
    target += strcspn(target, "/?");
    return *target == '/' ? target : "/";
}

/* decode: up to the query, with %XX replaced. 0, or 400 or 414. */
static int decode(const char *target, char *path, size_t size)
{
    size_t used = 0;
    for (; *target != '\0' && *target != '?' && *target != '#'; target++) {
        int c = (unsigned char)*target;
        if (c == '%') {
            int high = hex(target[1]), low = high >= 0 ? hex(target[2]) : -1;
            if (low < 0)
                return 400;
            c = high << 4 | low;
            if (c == '/') /* is no border between names, and cannot be in one */
                return 400;
            target += 2;
        }
        if (c < ' ' || c == 0x7f)
            return 400;
        if (used + 1 >= size)
            return 414;
        path[used++] = (char)c;
    }
    path[used] = '\0';
    return 0;
}

/* leads_out: one of the names is "..". None is folded: who asks so is not served. */
static bool leads_out(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/..")) != NULL; at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

int request_path(const char *target, char *path)
{
    path[0] = '.';
    target = skip_origin(target);
    if (*target != '/')
        return 400;
    int status = decode(target, path + 1, PATH_MAX_HTTPD - 1);
    return status != 0 ? status : leads_out(path) ? 403 : 0;
}

/* --- dates --- */

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

char *date_format(int64_t seconds, char text[DATE_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&time, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099)
        memset(&tm, 0, sizeof(tm));
    snprintf(text, DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
             tm.tm_mday % 100u, months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000u,
             tm.tm_hour % 100u, tm.tm_min % 100u, tm.tm_sec % 100u);
    return text;
}

static int64_t days_since_1970(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool date_parse(const char *text, int64_t *time)
{
    char name[4], month_name[4];
    int day, year, hour, minute, second, length = 0;

    if (sscanf(text, "%3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", name, &day, month_name,
               &year, &hour, &minute, &second, &length) != 7 ||
        length != DATE_SIZE - 1 || text[length] != '\0')
        return false;
    const char *month = strstr(months, month_name);
    if (month == NULL || strlen(month_name) != 3 || (month - months) % 3 != 0 || day < 1 ||
        day > 31 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60)
        return false;
    *time = days_since_1970(year, (int)(month - months) / 3 + 1, day) * 86400 + hour * 3600 +
            minute * 60 + second;
    return true;
}

/* --- ranges --- */

/* take_number: digits in front of *text; false without one or when it is too large. */
static bool take_number(const char **text, uint64_t *value)
{
    const char *start = *text;
    for (*value = 0; **text >= '0' && **text <= '9'; (*text)++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(**text - '0'), value))
            return false;
    return *text > start;
}

enum range request_range(const char *text, uint64_t size, uint64_t *from, uint64_t *length)
{
    uint64_t first, last = UINT64_MAX;

    if (strncasecmp(text, "bytes=", 6) != 0)
        return RANGE_NONE;
    text += 6;
    if (*text == '-') { /* the last bytes */
        text++;
        if (!take_number(&text, &last) || *text != '\0')
            return RANGE_NONE;
        *length = last < size ? last : size;
        *from = size - *length;
        return *length > 0 ? RANGE_PART : RANGE_IMPOSSIBLE;
    }
    if (!take_number(&text, &first) || *text++ != '-' ||
        (*text != '\0' && !take_number(&text, &last)) || *text != '\0' || last < first)
        return RANGE_NONE;
    if (first >= size)
        return RANGE_IMPOSSIBLE;
    *from = first;
    *length = (last < size ? last + 1 : size) - first;
    return RANGE_PART;
}

/* --- text --- */

/* append: false without room. */
static bool append(char *to, size_t size, size_t *used, const char *piece, size_t length)
{
    if (length >= size - *used)
        return false;
    memcpy(to + *used, piece, length);
    *used += length;
    to[*used] = '\0';
    return true;
}

size_t escape_html(const char *text, char *to, size_t size)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        const char *piece = *text == '<'   ? "&lt;"
                            : *text == '>' ? "&gt;"
                            : *text == '&' ? "&amp;"
                            : *text == '"' ? "&quot;"
                                           : NULL;
        if (!append(to, size, &used, piece ? piece : text, piece ? strlen(piece) : 1))
            return 0;
    }
    return used;
}

size_t escape_url(const char *text, char *to, size_t size)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char piece[4];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~/", c) != NULL;
        int length = snprintf(piece, sizeof(piece), plain ? "%c" : "%%%02X", c);
        if (!append(to, size, &used, piece, (size_t)length))
            return 0;
    }
    return used;
}

const char *content_type(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/plain; charset=utf-8"},
        {"c", "text/plain; charset=utf-8"},
        {"h", "text/plain; charset=utf-8"},
        {"css", "text/css"},
        {"js", "text/javascript"},
        {"json", "application/json"},
        {"xml", "application/xml"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"ico", "image/x-icon"},
        {"webp", "image/webp"},
        {"pdf", "application/pdf"},
        {"wasm", "application/wasm"},
        {"gz", "application/gzip"},
        {"tar", "application/x-tar"},
        {"zip", "application/zip"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(dot + 1, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}
