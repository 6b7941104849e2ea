/* Any keys: the editor keeps its invariants, and draws without reading outside of its lines. Keys
 * that would touch files are left out. */
#include "../editor.h"
#include "../keys.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct editor editor;
    struct key_decoder decoder = {0};
    struct output terminal = {0};
    if (size < 2 || editor_open(&editor, NULL, data[0] % 40, data[1] % 100) < 0)
        return 0;
    for (size_t i = 2; i < size && !editor.finished; i++) {
        int key = key_decode(&decoder, data[i]);
        if (key == KEY_NONE || key == KEY_CONTROL('S') || key == KEY_CONTROL('O') ||
            key == KEY_CONTROL('R') || editor.mode == MODE_CONFIRM_QUIT)
            continue;
        editor_handle(&editor, key);
        editor_draw(&editor, &terminal);
        terminal.len = 0;
        if (editor.cursor.line >= editor.buffer.count ||
            editor.cursor.offset > editor.buffer.lines[editor.cursor.line].len)
            abort();
    }
    free(terminal.bytes);
    editor_free(&editor);
    return 0;
}
