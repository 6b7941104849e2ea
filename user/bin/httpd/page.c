/* The page that lists a folder: names in order, folders with a slash, sizes and times. */
#include "page.h"

#include "request.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MAX 10000u
#define NAME_SIZE 256u

struct page {
    char *text;
    size_t used, capacity;
    bool failed;
};

static void add(struct page *page, const char *text)
{
    size_t length = strlen(text);
    if (page->failed)
        return;
    if (page->used + length >= page->capacity) {
        size_t capacity = (page->used + length + 1) * 2;
        char *larger = realloc(page->text, capacity);
        page->failed = larger == NULL;
        if (page->failed)
            return;
        page->text = larger;
        page->capacity = capacity;
    }
    memcpy(page->text + page->used, text, length + 1);
    page->used += length;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* read_names: those of a folder, without hidden ones; NULL with errno. */
static char **read_names(const char *path, size_t *count)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    size_t capacity = 0;
    char **names = NULL;

    *count = 0;
    if (folder == NULL)
        return NULL;
    while ((entry = readdir(folder)) != NULL && *count < NAMES_MAX) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count + 1 >= capacity) {
            capacity = capacity ? capacity * 2 : 64;
            char **larger = realloc(names, capacity * sizeof(*names));
            if (larger == NULL)
                break;
            names = larger;
        }
        if ((names[*count] = strdup(entry->d_name)) != NULL)
            (*count)++;
    }
    closedir(folder);
    if (names == NULL)
        names = malloc(sizeof(*names));
    if (*count > 0)
        qsort(names, *count, sizeof(*names), compare);
    return names;
}

static void add_entry(struct page *page, const char *path, const char *name)
{
    char full[PATH_MAX_HTTPD + NAME_SIZE], html[NAME_SIZE * 6], url[NAME_SIZE * 3], size[24] = "";
    char date[DATE_SIZE];
    struct stat status;

    snprintf(full, sizeof(full), "%s%s", path, name);
    if (stat(full, &status) < 0 || escape_html(name, html, sizeof(html)) == 0 ||
        escape_url(name, url, sizeof(url)) == 0)
        return;
    const char *slash = S_ISDIR(status.st_mode) ? "/" : "";
    if (S_ISREG(status.st_mode))
        snprintf(size, sizeof(size), "%llu", (unsigned long long)status.st_size);
    add(page, "<tr><td><a href=\"./");
    add(page, url);
    add(page, slash);
    add(page, "\">");
    add(page, html);
    add(page, slash);
    add(page, "</a><td>");
    add(page, size);
    add(page, "<td>");
    add(page, date_format((int64_t)status.st_mtime, date));
    add(page, "\n");
}

size_t page_of_folder(const char *path, char **text)
{
    struct page page = {.used = 0};
    char title[PATH_MAX_HTTPD * 6];
    size_t count;

    char **names = read_names(path, &count);
    if (names == NULL)
        return 0;
    if (escape_html(path + 1, title, sizeof(title)) == 0)
        title[0] = '\0';
    add(&page, "<!DOCTYPE html>\n<title>");
    add(&page, title);
    add(&page, "</title>\n<h1>");
    add(&page, title);
    add(&page, "</h1>\n<table>\n");
    if (strcmp(path, "./") != 0)
        add(&page, "<tr><td><a href=\"../\">../</a>\n");
    for (size_t i = 0; i < count; i++) {
        add_entry(&page, path, names[i]);
        free(names[i]);
    }
    free(names);
    add(&page, "</table>\n");
    if (page.failed) {
        free(page.text);
        errno = ENOMEM;
        return 0;
    }
    *text = page.text;
    return page.used;
}
