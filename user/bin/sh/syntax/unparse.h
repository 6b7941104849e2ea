/* A tree as text again, so that another shell can run it, and people can read it. */
#pragma once

#include "../base/text.h"
#include "tree.h"

/* unparse: text that parses to an equal tree; with a newline at the end. */
void unparse(struct text *text, const struct node *node);

/* unparse_short: the same on one line, without here-documents, for lists of jobs. */
void unparse_short(struct text *text, const struct node *node);
