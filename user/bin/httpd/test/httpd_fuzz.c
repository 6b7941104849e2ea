/* Fuzz target: the strings of a request: no path leads out of the folder, no part of a file out of
 * the file, and a date that is written is read again as the same. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void paths(const char *text)
{
    char path[PATH_MAX_HTTPD], escaped[64];
    if (request_path(text, path) != 0)
        return;
    size_t length = strlen(path);
    if (strncmp(path, "./", 2) != 0 || strstr(path, "/../") != NULL ||
        (length >= 3 && strcmp(path + length - 3, "/..") == 0))
        abort();
    if (escape_html(path, escaped, sizeof(escaped)) > 0 && strpbrk(escaped, "<>\"") != NULL)
        abort();
    if (escape_url(path, escaped, sizeof(escaped)) > 0 && strpbrk(escaped, " <>\"?#\r\n") != NULL)
        abort();
    (void)content_type(path);
}

static void ranges(const char *text, uint64_t file)
{
    uint64_t from = 0, length = 0;
    if (request_range(text, file, &from, &length) == RANGE_PART &&
        (length == 0 || from >= file || length > file - from))
        abort();
}

static void dates(const char *text, int64_t seconds)
{
    char written[DATE_SIZE];
    int64_t read;
    (void)date_parse(text, &read);
    seconds &= 0x3fffffffff; /* up to the year 10680 */
    if (seconds < 253402300800 &&
        (!date_parse(date_format(seconds, written), &read) || read != seconds))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t number = 0;
    if (size < sizeof(number))
        return 0;
    memcpy(&number, data, sizeof(number));
    char *text = malloc(size - sizeof(number) + 1);
    memcpy(text, data + sizeof(number), size - sizeof(number));
    text[size - sizeof(number)] = '\0';
    paths(text);
    ranges(text, (uint64_t)number);
    ranges(text, (uint64_t)number & 0xff);
    dates(text, number);
    free(text);
    return 0;
}
