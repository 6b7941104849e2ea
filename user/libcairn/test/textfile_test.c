/* Generated files: names, snapshots, directories, limits. */
#include "cairn/textfile.h"

#include "abi/errno.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

static int counter;

static int make_list(void *context, const char *name, struct text *out)
{
    (void)context, (void)name;
    text_print(out, "list %d\n", ++counter);
    return 0;
}

static int make_state(void *context, const char *name, struct text *out)
{
    (void)context;
    if (strncmp(name, "12", 2) != 0)
        return -ENOENT;
    text_print(out, "state of %s\n", name);
    return 0;
}

static int make_long(void *context, const char *name, struct text *out)
{
    (void)context, (void)name;
    for (int i = 0; i < 20000; i++)
        text_print(out, "%05d", i);
    return 0;
}

static int pids(void *context, size_t index, char *value)
{
    (void)context;
    if (index > 1)
        return -ENOENT;
    strcpy(value, index ? "345" : "12");
    return 0;
}

static const struct text_file files[] = {
    {"list", make_list, NULL},        {"*:state", make_state, pids},
    {"*:memory", make_state, pids},   {"irq:long", make_long, NULL},
    {"irq:list", make_list, NULL},
};
static const struct text_file clock_file[] = {{"", make_list, NULL}};
static const struct text_tree tree = {0, files, 5, NULL};
static const struct text_tree clock_tree = {1, clock_file, 1, NULL};
static struct text_server server;

static void test_read(void)
{
    size_t len = 100;
    int slot = text_open(&server, &tree, 1, "12/state", FS_O_READ);
    CHECK(slot >= 0);
    struct text_session *s = &server.sessions[slot];
    const char *data = text_peek(s, FS_OFFSET_CURRENT, &len);
    CHECK(len == 18 && memcmp(data, "state of 12/state\n", 18) == 0);
    data = text_peek(s, FS_OFFSET_CURRENT, &len);
    CHECK(len == 0);
    len = 5;
    data = text_peek(s, 9, &len);
    CHECK(len == 5 && memcmp(data, "12/st", 5) == 0);
    len = 5;
    CHECK(text_peek(s, UINT64_MAX - 1, &len) && len == 0);
    CHECK(text_seek(s, -3, FS_SEEK_END) == 15);
    len = 50;
    data = text_peek(s, FS_OFFSET_CURRENT, &len);
    CHECK(len == 3 && memcmp(data, "te\n", 3) == 0);
    CHECK(text_seek(s, -1, FS_SEEK_SET) == -EINVAL);
    CHECK(text_seek(s, INT64_MAX, FS_SEEK_CUR) == -EINVAL);
    CHECK(text_seek(s, 0, 9) == -EINVAL);
    text_release(&server, (unsigned)slot);
}

/* Two reads of one open see one moment. */
static void test_snapshot(void)
{
    size_t len = 100;
    counter = 0;
    int slot = text_open(&server, &tree, 1, "list", FS_O_READ);
    CHECK(memcmp(text_peek(&server.sessions[slot], 0, &len), "list 1\n", 7) == 0);
    len = 100;
    CHECK(memcmp(text_peek(&server.sessions[slot], 0, &len), "list 1\n", 7) == 0);
    text_release(&server, (unsigned)slot);
    CHECK(counter == 1);
}

static void test_errors(void)
{
    CHECK(text_open(&server, &tree, 1, "nothing", FS_O_READ) == -ENOENT);
    CHECK(text_open(&server, &tree, 1, "list:x", FS_O_READ) == -ENOENT);
    CHECK(text_open(&server, &tree, 1, "99:state", FS_O_READ) == -ENOENT);
    CHECK(text_open(&server, &tree, 1, "12:", FS_O_READ) == -ENOENT);
    CHECK(text_open(&server, &tree, 1, "new", FS_O_CREATE | FS_O_WRITE) == -EROFS);
    CHECK(text_open(&server, &tree, 1, "list", FS_O_WRITE) == -EACCES);
    CHECK(text_open(&server, &tree, 1, "", FS_O_WRITE) == -EISDIR);
    CHECK(text_open(&server, &tree, 1, "list", FS_O_READ | FS_O_DIRECTORY) == -ENOTDIR);
    CHECK(text_open(&server, &tree, 1, "99", FS_O_READ) == -ENOENT);
}

/* The names in a directory, joined by spaces. */
static void names(const char *path, char *out)
{
    *out = '\0';
    int slot = text_open(&server, &tree, 1, path, FS_O_READ);
    CHECK(slot >= 0);
    if (slot < 0)
        return;
    const char *data;
    size_t len = 4096;
    CHECK(text_peek_entries(&server.sessions[slot], 0, &data, &len) == 0);
    for (size_t at = 0; at < len;) {
        const struct fs_dirent *entry = (const struct fs_dirent *)(data + at);
        CHECK(entry->record_len % 8 == 0 && entry->next == at + entry->record_len);
        strcat(strcat(out, entry->name), entry->type == FS_IFDIR >> 12 ? "/ " : " ");
        at += entry->record_len;
    }
    text_release(&server, (unsigned)slot);
}

static void test_directories(void)
{
    char found[256];
    names("", found);
    CHECK(strcmp(found, "list 12/ 345/ irq/ ") == 0);
    names("12", found);
    CHECK(strcmp(found, "state memory ") == 0);
    names("irq", found);
    CHECK(strcmp(found, "long list ") == 0);
}

/* Reading a directory in small pieces gives each record once; a cookie inside a record does not. */
static void test_directory_pieces(void)
{
    int slot = text_open(&server, &tree, 1, "", FS_O_READ);
    struct text_session *s = &server.sessions[slot];
    unsigned records = 0;
    const char *data;
    size_t len = 40;
    while (text_peek_entries(s, FS_OFFSET_CURRENT, &data, &len) == 0 && len > 0) {
        records++;
        CHECK(((const struct fs_dirent *)data)->record_len == len);
        len = 40;
    }
    CHECK(records == 4);
    len = 8;
    CHECK(text_peek_entries(s, 0, &data, &len) == -EINVAL);
    len = 100;
    CHECK(text_peek_entries(s, 3, &data, &len) == -EINVAL);
    len = 100;
    CHECK(text_peek_entries(s, 1u << 30, &data, &len) == 0 && len == 0);
    text_release(&server, (unsigned)slot);
}

static void test_stat(void)
{
    struct fs_stat stat;
    CHECK(text_stat(&server, &tree, "12:state", &stat) == 0);
    CHECK(stat.mode == (FS_IFREG | 0444) && stat.size == 18);
    CHECK(text_stat(&server, &tree, "12", &stat) == 0 && stat.mode == (FS_IFDIR | 0555));
    CHECK(text_stat(&server, &tree, "zz:state", &stat) == -ENOENT);
    CHECK(text_stat(&server, &clock_tree, "", &stat) == 0 && stat.mode == (FS_IFREG | 0444));
}

static void test_limits(void)
{
    struct fs_stat stat;
    int slots[TEXT_SESSIONS];
    int slot = text_open(&server, &tree, 1, "irq:long", FS_O_READ);
    text_fstat(&server.sessions[slot], &stat);
    CHECK(stat.size == TEXT_MAX - 1); /* cut */
    text_release(&server, (unsigned)slot);

    for (int i = 0; i < TEXT_SESSIONS; i++) {
        slots[i] = text_open(&server, &tree, (uint32_t)i / TEXT_SESSIONS_A_CLIENT, "list", 1);
        CHECK(slots[i] >= 0);
    }
    CHECK(text_open(&server, &tree, 0, "list", FS_O_READ) == -EMFILE);
    CHECK(text_open(&server, &tree, 99, "list", FS_O_READ) == -ENFILE);
    text_release(&server, (unsigned)slots[40]);
    CHECK(text_open(&server, &tree, 0, "list", FS_O_READ) == -EMFILE);
    CHECK(text_open(&server, &tree, 99, "list", FS_O_READ) == slots[40]);
    for (int i = 0; i < TEXT_SESSIONS; i++)
        text_release(&server, (unsigned)i);
}

int main(void)
{
    test_read();
    test_snapshot();
    test_errors();
    test_directories();
    test_directory_pieces();
    test_stat();
    test_limits();
    return report();
}
