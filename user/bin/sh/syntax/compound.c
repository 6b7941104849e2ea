/* The compound commands: groups, conditionals, loops, case. */
#include "parser_core.h"

#include <string.h>

static struct node *parse_if(struct parser *parser)
{
    struct node *first = new_node(parser, NODE_IF), *node = first;

    for (;;) {
        node->condition = parse_body(parser);
        if (node->condition == NULL)
            return NULL;
        if (!take_word(parser, "then"))
            return expected(parser, "then");
        node->body = parse_body(parser);
        if (node->body == NULL)
            return NULL;
        if (!at_word(parser, "elif"))
            break;
        take(parser);
        node->otherwise = new_node(parser, NODE_IF);
        node = node->otherwise;
    }
    if (take_word(parser, "else")) {
        node->otherwise = parse_body(parser);
        if (node->otherwise == NULL)
            return NULL;
    }
    return take_word(parser, "fi") ? first : expected(parser, "fi");
}

static struct node *parse_do(struct parser *parser, struct node *loop)
{
    if (!take_word(parser, "do"))
        return expected(parser, "do");
    loop->body = parse_body(parser);
    if (loop->body == NULL)
        return NULL;
    return take_word(parser, "done") ? loop : expected(parser, "done");
}

static struct node *parse_while(struct parser *parser, enum node_type type)
{
    struct node *node = new_node(parser, type);
    node->condition = parse_body(parser);
    return node->condition != NULL ? parse_do(parser, node) : NULL;
}

static struct node *parse_for(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_FOR);
    struct word **last = &node->words;

    if (peek(parser) != TOKEN_WORD)
        return unexpected(parser);
    node->name = new_word(parser)->text;
    if (name_length(node->name, strlen(node->name)) != strlen(node->name)) {
        parser->have_token = false;
        return expected(parser, "a variable name before it");
    }
    if (peek(parser) == TOKEN_SEMICOLON) {
        take(parser);
    } else {
        skip_newlines(parser);
        if (take_word(parser, "in")) {
            node->has_words = true;
            while (peek(parser) == TOKEN_WORD) {
                *last = new_word(parser);
                last = &(*last)->next;
            }
            if (peek(parser) != TOKEN_SEMICOLON && peek(parser) != TOKEN_NEWLINE)
                return unexpected(parser);
            take(parser);
        }
    }
    skip_newlines(parser);
    return parse_do(parser, node);
}

static struct case_item *parse_case_item(struct parser *parser)
{
    struct case_item *item = arena_alloc(parser->arena, sizeof(*item));
    struct word **last = &item->patterns;

    if (peek(parser) == TOKEN_OPEN)
        take(parser);
    for (;;) {
        if (peek(parser) != TOKEN_WORD)
            return unexpected(parser);
        *last = new_word(parser);
        last = &(*last)->next;
        if (peek(parser) != TOKEN_PIPE)
            break;
        take(parser);
    }
    if (peek(parser) != TOKEN_CLOSE)
        return unexpected(parser);
    take(parser);
    item->body = parse_list(parser, true);
    return parser->failed == 0 ? item : NULL;
}

static struct node *parse_case(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_CASE);
    struct case_item **last = &node->items;

    if (peek(parser) != TOKEN_WORD)
        return unexpected(parser);
    node->words = new_word(parser);
    skip_newlines(parser);
    if (!take_word(parser, "in"))
        return expected(parser, "in");
    skip_newlines(parser);
    while (!at_word(parser, "esac")) {
        struct case_item *item = parse_case_item(parser);
        if (item == NULL)
            return NULL;
        *last = item;
        last = &item->next;
        if (peek(parser) != TOKEN_SEMICOLON_2)
            break;
        take(parser);
        skip_newlines(parser);
    }
    return take_word(parser, "esac") ? node : expected(parser, "esac");
}

static struct node *parse_subshell(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_SUBSHELL);
    take(parser);
    node->body = parse_body(parser);
    if (node->body == NULL)
        return NULL;
    if (peek(parser) != TOKEN_CLOSE)
        return expected(parser, ")");
    take(parser);
    return node;
}

static struct node *parse_group(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_GROUP);
    node->body = parse_body(parser);
    if (node->body == NULL)
        return NULL;
    return take_word(parser, "}") ? node : expected(parser, "}");
}

struct node *parse_compound(struct parser *parser)
{
    if (peek(parser) == TOKEN_OPEN)
        return parse_subshell(parser);
    if (peek(parser) != TOKEN_WORD)
        return NULL;
    if (take_word(parser, "{"))
        return parse_group(parser);
    if (take_word(parser, "if"))
        return parse_if(parser);
    if (take_word(parser, "while"))
        return parse_while(parser, NODE_WHILE);
    if (take_word(parser, "until"))
        return parse_while(parser, NODE_UNTIL);
    if (take_word(parser, "for"))
        return parse_for(parser);
    if (take_word(parser, "case"))
        return parse_case(parser);
    return NULL;
}

struct node *parse_function_body(struct parser *parser)
{
    struct node *body = parse_compound(parser);
    if (body == NULL)
        return parser->failed == 0 ? expected(parser, "a compound command") : NULL;
    struct redirect **last = &body->redirects;
    while (parse_redirect(parser, &last))
        continue;
    return parser->failed == 0 ? body : NULL;
}
