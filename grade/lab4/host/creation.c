/* Calls init's creation_give on the host, with a kernel of the test's own behind it: one command
 * a line on standard input, one line of result each in the file that is the only argument. */
#include "init/spawn.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct init_state init;

static FILE *results;
static int64_t grant_result;
static char grant_text[128];

int64_t process_grant(handle_t process, handle_t object, uint32_t rights, uint32_t index)
{
    size_t len = strlen(grant_text);
    snprintf(grant_text + len, sizeof grant_text - len, " process %d gets %d rights %x index %u",
             process, object, rights, index);
    return grant_result;
}

static struct process slot;
static struct spawn_block block;
static struct creation creation;

/* new PROCESS ID... */
static void do_new(char **words, int count)
{
    memset(&slot, 0, sizeof slot);
    memset(&block, 0, sizeof block);
    memset(&creation, 0, sizeof creation);
    slot.process = atoi(words[1]);
    for (int i = 2; i < count; i++)
        block.handles[block.handle_count++].id = (uint32_t)atol(words[i]);
    creation.slot = &slot;
    creation.block = &block;
    fprintf(results, "0\n");
}

/* give HANDLE RIGHTS RESULT-OF-THE-GRANT */
static void do_give(char **words)
{
    grant_text[0] = '\0';
    grant_result = atol(words[3]);
    int result = creation_give(&creation, atoi(words[1]), (uint32_t)atol(words[2]));
    fprintf(results, "%d%s; entries", result, grant_text);
    for (uint32_t i = 0; i < block.handle_count; i++)
        fprintf(results, " %d", block.handles[i].handle);
    fprintf(results, "; given %u\n", creation.given);
}

int main(int argc, char **argv)
{
    static char line[1024];
    results = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (results == NULL)
        return 2;
    setvbuf(results, NULL, _IOLBF, 1 << 16);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[SPAWN_HANDLES_MAX + 3];
        int count = 0;
        for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n"))
            if (count < SPAWN_HANDLES_MAX + 2)
                words[count++] = word;
        if (strcmp(words[0], "new") == 0)
            do_new(words, count);
        else
            do_give(words);
    }
    return fclose(results) != 0;
}
