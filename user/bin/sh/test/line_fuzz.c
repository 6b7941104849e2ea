/* Any keys: the cursor stays in the line and on the border of a character. */
#include "../line/editor.h"
#include "../line/line.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct editor editor = {0};
    char *matches[] = {(char *)"echo", (char *)"ech\xc3\xa9", NULL};
    struct strings list = {matches, size % 3, 3};
    editor_start(&editor, "\033[1mp\033[0m$ ", size % 100);
    for (size_t i = 0; i < size; i++) {
        enum editor_result result = editor_key(&editor, data[i]);
        if (result == EDITOR_COMPLETE)
            editor_complete(&editor, editor.cursor / 2, &list);
        if (editor.cursor > editor.line.len)
            abort();
        text_clear(&editor.output);
        if (result != EDITOR_MORE && result != EDITOR_COMPLETE) {
            history_add(text_get(&editor.line));
            editor_start(&editor, "$ ", size % 100);
        }
    }
    editor_free(&editor);
    history_clear(); /* or the lines would grow from one input to the next */
    return 0;
}
