/* Writes a tree as text. Every separator that the grammar lets be followed by newlines is, so that
 * the bodies of here-documents can stand behind the line that announced them. */
#include "unparse.h"

#include "../base/arena.h"
#include "parser.h"
#include <string.h>

struct printer {
    struct text *text;
    bool one_line;      /* for people: "; " for newlines, no bodies */
    struct text bodies; /* of here-documents announced on the current line */
};

static void print_node(struct printer *printer, const struct node *node);

static void string(struct printer *printer, const char *string)
{
    text_string(printer->text, string);
}

/* separator: what stands for a newline on one line. */
static void newline(struct printer *printer, const char *separator)
{
    if (printer->one_line) {
        string(printer, separator);
        return;
    }
    text_char(printer->text, '\n');
    if (printer->bodies.len > 0) {
        text_add(printer->text, printer->bodies.data, printer->bodies.len);
        text_clear(&printer->bodies);
    }
}

static void print_redirects(struct printer *printer, const struct redirect *redirect)
{
    static const char *const operators[] = {"<", ">", ">>", "<>", "<&", ">&", "<<"};
    for (; redirect != NULL; redirect = redirect->next) {
        text_format(printer->text, " %d%s %s", redirect->fd, operators[redirect->type],
                    redirect->target);
        if (redirect->type != REDIRECT_HERE || printer->one_line)
            continue;
        text_string(&printer->bodies, redirect->body);
        struct arena arena = {0};
        text_string(&printer->bodies, word_unquoted(&arena, redirect->target));
        text_char(&printer->bodies, '\n');
        arena_free(&arena);
    }
}

static void print_words(struct printer *printer, const struct word *word, const char *separator)
{
    for (bool first = true; word != NULL; word = word->next, first = false) {
        if (!first)
            string(printer, separator);
        string(printer, word->text);
    }
}

static void print_block(struct printer *printer, const char *before, const struct node *body,
                        const char *after)
{
    string(printer, before);
    newline(printer, " ");
    print_node(printer, body);
    newline(printer, body->type == NODE_LIST && strcmp(before, "(") == 0 ? "" : "; ");
    string(printer, after);
}

static void print_if(struct printer *printer, const struct node *node)
{
    print_block(printer, "if", node->condition, "then");
    for (;;) {
        newline(printer, " ");
        print_node(printer, node->body);
        newline(printer, "; ");
        const struct node *otherwise = node->otherwise;
        if (otherwise == NULL || otherwise->type != NODE_IF || otherwise->redirects != NULL)
            break;
        node = otherwise;
        print_block(printer, "elif", node->condition, "then");
    }
    if (node->otherwise != NULL)
        print_block(printer, "else", node->otherwise, "fi");
    else
        string(printer, "fi");
}

static void print_case(struct printer *printer, const struct node *node)
{
    string(printer, "case ");
    string(printer, node->words->text);
    string(printer, " in");
    newline(printer, " ");
    for (const struct case_item *item = node->items; item != NULL; item = item->next) {
        string(printer, "(");
        print_words(printer, item->patterns, " | ");
        string(printer, ")");
        newline(printer, " ");
        if (item->body != NULL) {
            print_node(printer, item->body);
            newline(printer, " ");
        }
        string(printer, ";;");
        newline(printer, " ");
    }
    string(printer, "esac");
}

static void print_for(struct printer *printer, const struct node *node)
{
    string(printer, "for ");
    string(printer, node->name);
    if (node->has_words) {
        string(printer, node->words != NULL ? " in " : " in");
        print_words(printer, node->words, " ");
    }
    newline(printer, "; ");
    print_block(printer, "do", node->body, "done");
}

/* A reserved word that is no command stands behind a redirection: there it must stay. */
static void print_simple(struct printer *printer, const struct node *node)
{
    bool redirects_first =
        node->assignments == NULL && node->words != NULL && is_reserved_word(node->words->text);
    if (redirects_first) {
        print_redirects(printer, node->redirects);
        string(printer, " ");
    }
    print_words(printer, node->assignments, " ");
    if (node->assignments != NULL && node->words != NULL)
        string(printer, " ");
    print_words(printer, node->words, " ");
    if (!redirects_first)
        print_redirects(printer, node->redirects);
}

static void print_children(struct printer *printer, const struct node *node)
{
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        if (child != node->first && node->type == NODE_PIPELINE) {
            string(printer, " |");
            newline(printer, " ");
        } else if (child != node->first && node->type == NODE_AND_OR) {
            string(printer, child->or_else ? " ||" : " &&");
            newline(printer, " ");
        }
        print_node(printer, child);
        if (node->type == NODE_LIST && child->background)
            string(printer, " &");
        if (node->type == NODE_LIST && child->next != NULL)
            newline(printer, child->background ? " " : "; ");
    }
}

static void print_node(struct printer *printer, const struct node *node)
{
    switch (node->type) {
    case NODE_SIMPLE:
        print_simple(printer, node);
        break;
    case NODE_PIPELINE:
        string(printer, node->negated ? "! " : "");
        print_children(printer, node);
        break;
    case NODE_AND_OR:
    case NODE_LIST:
        print_children(printer, node);
        break;
    case NODE_SUBSHELL:
        print_block(printer, "(", node->body, ")");
        break;
    case NODE_GROUP:
        print_block(printer, "{", node->body, "}");
        break;
    case NODE_IF:
        print_if(printer, node);
        break;
    case NODE_WHILE:
    case NODE_UNTIL:
        print_block(printer, node->type == NODE_WHILE ? "while" : "until", node->condition, "do");
        newline(printer, " ");
        print_node(printer, node->body);
        newline(printer, "; ");
        string(printer, "done");
        break;
    case NODE_FOR:
        print_for(printer, node);
        break;
    case NODE_CASE:
        print_case(printer, node);
        break;
    case NODE_FUNCTION:
        string(printer, node->name);
        string(printer, "() ");
        print_node(printer, node->body);
        break;
    }
    if (node->type != NODE_SIMPLE)
        print_redirects(printer, node->redirects);
}

void unparse(struct text *text, const struct node *node)
{
    struct printer printer = {.text = text};
    print_node(&printer, node);
    newline(&printer, "");
    text_free(&printer.bodies);
}

void unparse_short(struct text *text, const struct node *node)
{
    struct printer printer = {.text = text, .one_line = true};
    print_node(&printer, node);
    text_free(&printer.bodies);
}
