/* Where the quoting and substitution constructs inside a word end. The lexer uses this to find
 * the end of a word, the expander to take it apart: both see the same borders. */
#pragma once

#include "tree.h"
#include <sys/types.h>

enum { SCAN_INCOMPLETE = -1, SCAN_ERROR = -2 };

struct scan {
    const char *text;
    size_t len;
    int depth;           /* starts with 0 */
    const char *message; /* for SCAN_ERROR */
};

/* Each takes the index where the construct begins and returns the index behind it, or SCAN_*.
 * scan_dollar: 'in_double' says that it stands inside double quotes or a here-document. */
ssize_t scan_single_quotes(struct scan *scan, size_t at);
ssize_t scan_double_quotes(struct scan *scan, size_t at);
ssize_t scan_backquotes(struct scan *scan, size_t at);
ssize_t scan_dollar(struct scan *scan, size_t at, bool in_double);

/* scan_arithmetic: of "$((...))"; SCAN_ERROR if it is no arithmetic but "$( (...) )". */
ssize_t scan_arithmetic(struct scan *scan, size_t at);

/* ${name op word} taken apart; positions are indices into the text. */
struct parameter {
    size_t name, name_len;
    size_t word, word_len;
    char op;      /* - = ? + # %, or 0 */
    bool colon;   /* before - = ? + */
    bool doubled; /* ## or %% */
    bool length;  /* ${#name} */
    bool bad;     /* not a form that the language has */
};
ssize_t scan_parameter(struct scan *scan, size_t at, bool in_double, struct parameter *parameter);

bool is_name_start(char c);
bool is_name_char(char c);
/* name_length: how much of text is a variable name. */
size_t name_length(const char *text, size_t len);
/* is_reserved_word: a word of the grammar where a command begins. */
bool is_reserved_word(const char *word);
/* is_special_parameter: one of @ * # ? - $ ! */
bool is_special_parameter(char c);
