/* What a word could become: a command where one is expected, else a file name. */
#include "../builtin/builtin.h"
#include "../expand/glob.h"
#include "line.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool separates(char c)
{
    return strchr(" \t;|&<>()`", c) != NULL;
}

/* Does a command stand at 'start', and no argument? */
static bool at_command(const char *line, size_t start)
{
    static const char *const openers[] = {"if",    "then", "else", "elif", "while",
                                          "until", "do",   "!",    "{"};
    size_t end = start;
    while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t'))
        end--;
    if (end == 0 || strchr(";|&(`", line[end - 1]) != NULL)
        return true;
    size_t word = end;
    while (word > 0 && !separates(line[word - 1]))
        word--;
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++)
        if (strlen(openers[i]) == end - word && strncmp(line + word, openers[i], end - word) == 0)
            return true;
    return false;
}

static void add_quoted(struct strings *matches, struct arena *arena, const char *directory,
                       size_t directory_len, const char *name, const char *suffix)
{
    struct text text = {0};
    text_add(&text, directory, directory_len);
    for (; *name != '\0'; name++) {
        if (strchr(" \t\n\\'\"$`&;|<>()*?[#~!", *name) != NULL)
            text_char(&text, '\\');
        text_char(&text, *name);
    }
    text_string(&text, suffix);
    for (size_t i = 0; i < matches->count; i++)
        if (strcmp(matches->items[i], text_get(&text)) == 0) {
            text_free(&text);
            return;
        }
    strings_add(matches, arena_copy(arena, text_get(&text), text.len), arena);
    text_free(&text);
}

/* Entries of directory whose names begin with prefix; shown is how the user wrote the directory. */
static void add_entries(struct strings *matches, struct arena *arena, const char *directory,
                        const char *shown, size_t shown_len, const char *prefix, bool programs)
{
    DIR *open = opendir(*directory != '\0' ? directory : ".");
    struct dirent *entry;
    if (open == NULL)
        return;
    while ((entry = readdir(open)) != NULL) {
        struct text path = {0};
        struct stat status;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            (entry->d_name[0] == '.' && prefix[0] != '.'))
            continue;
        text_string(&path, directory);
        if (path.len > 0 && strchr("/:", path.data[path.len - 1]) == NULL)
            text_char(&path, '/');
        text_string(&path, entry->d_name);
        bool known = stat(text_get(&path), &status) == 0;
        bool is_directory = known && S_ISDIR(status.st_mode);
        text_free(&path);
        if (programs && (!known || is_directory || !(status.st_mode & 0111)))
            continue;
        add_quoted(matches, arena, shown, shown_len, entry->d_name, is_directory ? "/" : "");
    }
    closedir(open);
}

static void add_commands(const struct shell *shell, struct strings *matches, struct arena *arena,
                         const char *prefix)
{
    const char *search = variable_get(&shell->variables, "PATH");
    for (const struct builtin *b = builtin_table(); b->name != NULL; b++)
        if (strncmp(b->name, prefix, strlen(prefix)) == 0)
            add_quoted(matches, arena, "", 0, b->name, "");
    for (const struct function *f = shell->functions; f != NULL; f = f->next)
        if (!f->replaced && strncmp(f->name, prefix, strlen(prefix)) == 0)
            add_quoted(matches, arena, "", 0, f->name, "");
    while (search != NULL) {
        size_t len = strcspn(search, ":");
        add_entries(matches, arena, arena_copy(arena, search, len), "", 0, prefix, true);
        search = search[len] == ':' ? search + len + 1 : NULL;
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void complete(const struct shell *shell, const char *line, size_t at, size_t *start,
              struct strings *matches, struct arena *arena)
{
    size_t begin = at, split;
    while (begin > 0 && (!separates(line[begin - 1]) || (begin > 1 && line[begin - 2] == '\\')))
        begin--;
    *start = begin;
    /* the word without its backslashes */
    char *word = arena_alloc(arena, at - begin + 1), *to = word;
    for (size_t i = begin; i < at; i++)
        if (line[i] != '\\' || i + 1 == at)
            *to++ = line[i];
    for (split = strlen(word); split > 0 && strchr("/:", word[split - 1]) == NULL;)
        split--;
    size_t shown = at;
    while (shown > begin && strchr("/:", line[shown - 1]) == NULL)
        shown--;
    if (split == 0 && at_command(line, begin))
        add_commands(shell, matches, arena, word);
    else
        add_entries(matches, arena, arena_copy(arena, word, split), line + begin, shown - begin,
                    word + split, false);
    if (matches->count > 0)
        qsort(matches->items, matches->count, sizeof(char *), compare);
}
