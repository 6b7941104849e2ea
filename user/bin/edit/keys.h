/* Keys from the bytes that a terminal sends. */
#pragma once

enum key {
    KEY_NONE = 0, /* in the middle of a sequence */
    /* 1..255: a byte of text, or a control character */
    KEY_UP = 256,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_DELETE,
    KEY_INSERT,
    KEY_TOP,    /* Ctrl-Home */
    KEY_BOTTOM, /* Ctrl-End */
    KEY_FUNCTION_3,
    KEY_ESCAPE,
    KEY_UNKNOWN,
};
#define KEY_CONTROL(letter) ((letter)&0x1f)
#define KEY_BACKSPACE       0x7f

/* All zero = at the start of a sequence. */
struct key_decoder {
    enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_BRACKET, KEYS_O } state;
    unsigned parameters[2];
    unsigned parameter;
};

/* key_decode: the key that this byte completes, or KEY_NONE. */
int key_decode(struct key_decoder *decoder, unsigned char byte);

/* key_timeout: nothing came for a moment: a lone Escape is a key, too. */
int key_timeout(struct key_decoder *decoder);
