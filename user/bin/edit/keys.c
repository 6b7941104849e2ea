/* The sequences of VT terminals and xterm, ESC [ n ; m letter. */
#include "keys.h"

#include <stddef.h>

static int letter_key(unsigned char letter, unsigned modifier)
{
    switch (letter) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return modifier == 5 ? KEY_TOP : KEY_HOME;
    case 'F':
        return modifier == 5 ? KEY_BOTTOM : KEY_END;
    case 'R':
        return KEY_FUNCTION_3;
    default:
        return KEY_UNKNOWN;
    }
}

static int number_key(unsigned number, unsigned modifier)
{
    static const int keys[] = {[1] = KEY_HOME, [2] = KEY_INSERT,  [3] = KEY_DELETE,
                               [4] = KEY_END,  [5] = KEY_PAGE_UP, [6] = KEY_PAGE_DOWN,
                               [7] = KEY_HOME, [8] = KEY_END,     [13] = KEY_FUNCTION_3};
    int key =
        number < sizeof(keys) / sizeof(keys[0]) && keys[number] != 0 ? keys[number] : KEY_UNKNOWN;
    if (modifier == 5)
        key = key == KEY_HOME ? KEY_TOP : key == KEY_END ? KEY_BOTTOM : key;
    return key;
}

static int bracket_byte(struct key_decoder *decoder, unsigned char byte)
{
    if (byte >= '0' && byte <= '9') {
        unsigned *parameter = &decoder->parameters[decoder->parameter];
        *parameter = (*parameter * 10 + byte - '0') % 1000;
        return KEY_NONE;
    }
    if (byte == ';') {
        decoder->parameter = 1;
        decoder->parameters[1] = 0;
        return KEY_NONE;
    }
    decoder->state = KEYS_PLAIN;
    return byte == '~' ? number_key(decoder->parameters[0], decoder->parameters[1])
                       : letter_key(byte, decoder->parameters[1]);
}

int key_decode(struct key_decoder *decoder, unsigned char byte)
{
    switch (decoder->state) {
    case KEYS_ESCAPE:
        if (byte == '[' || byte == 'O') {
            *decoder = (struct key_decoder){.state = byte == '[' ? KEYS_BRACKET : KEYS_O};
            return KEY_NONE;
        }
        decoder->state = KEYS_PLAIN;
        return byte == '\033' ? KEY_ESCAPE : KEY_UNKNOWN;
    case KEYS_BRACKET:
        return bracket_byte(decoder, byte);
    case KEYS_O:
        decoder->state = KEYS_PLAIN;
        return letter_key(byte, 0);
    case KEYS_PLAIN:
        break;
    }
    if (byte == '\033') {
        decoder->state = KEYS_ESCAPE;
        return KEY_NONE;
    }
    return byte != 0 ? byte : KEY_UNKNOWN;
}

int key_timeout(struct key_decoder *decoder)
{
    int key = decoder->state == KEYS_ESCAPE ? KEY_ESCAPE : KEY_NONE;
    decoder->state = KEYS_PLAIN;
    return key;
}
