/* Recursive descent over lists, and-or lists, pipelines and simple commands. The compound
 * commands are in compound.c. */
#include "parser_core.h"

#include <stdio.h>
#include <string.h>

/* Reserved words and operators that end a list inside a compound command. */
static bool at_list_end(struct parser *parser)
{
    static const char *const words[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    enum token_type type = peek(parser);
    if (type == TOKEN_END || type == TOKEN_CLOSE || type == TOKEN_SEMICOLON_2)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (at_word(parser, words[i]))
            return true;
    return false;
}

/* An assignment: NAME= in front, unquoted. */
static bool is_assignment(const struct parser *parser)
{
    const char *text = parser->scan.text + parser->token.start;
    size_t len = parser->token.end - parser->token.start, name = name_length(text, len);
    return name > 0 && name < len && text[name] == '=';
}

static bool is_plain_name(const char *word)
{
    return word[0] != '\0' && name_length(word, strlen(word)) == strlen(word);
}

static struct node *parse_function(struct parser *parser, struct node *node)
{
    take(parser); /* ( */
    if (peek(parser) != TOKEN_CLOSE)
        return unexpected(parser);
    take(parser);
    node->type = NODE_FUNCTION;
    node->name = node->words->text;
    node->words = NULL;
    skip_newlines(parser);
    node->body = parse_function_body(parser);
    return node->body != NULL ? node : NULL;
}

static struct node *parse_simple(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_SIMPLE);
    struct word **assignment = &node->assignments, **word = &node->words;
    struct redirect **redirect = &node->redirects;

    for (;;) {
        if (parse_redirect(parser, &redirect))
            continue;
        if (parser->failed != 0)
            return NULL;
        if (peek(parser) == TOKEN_OPEN && node->words != NULL && node->words->next == NULL &&
            node->assignments == NULL && node->redirects == NULL &&
            is_plain_name(node->words->text))
            return parse_function(parser, node);
        if (peek(parser) != TOKEN_WORD)
            break;
        bool assigns = node->words == NULL && is_assignment(parser);
        struct word ***last = assigns ? &assignment : &word;
        **last = new_word(parser);
        *last = &(**last)->next;
    }
    if (node->words == NULL && node->assignments == NULL && node->redirects == NULL)
        return unexpected(parser);
    return parser->failed == 0 ? node : NULL;
}

static struct node *parse_command(struct parser *parser)
{
    if (parser->scan.depth >= NESTING_MAX) {
        parser->failed = SCAN_ERROR;
        parser->failed_at = parser->at;
        snprintf(parser->message, sizeof(parser->message), "nested too deeply");
        return NULL;
    }
    parser->scan.depth++;
    struct node *node = parse_compound(parser);
    if (node != NULL) {
        struct redirect **last = &node->redirects;
        while (parse_redirect(parser, &last))
            continue;
    } else if (parser->failed == 0) {
        node = at_list_end(parser) ? unexpected(parser) : parse_simple(parser);
    }
    parser->scan.depth--;
    return parser->failed == 0 ? node : NULL;
}

static struct node *parse_pipeline(struct parser *parser)
{
    struct node *pipeline = new_node(parser, NODE_PIPELINE), **last = &pipeline->first;

    while (take_word(parser, "!"))
        pipeline->negated = !pipeline->negated;
    bool any = pipeline->negated;
    do {
        struct node *command = parse_command(parser);
        if (command == NULL)
            return NULL;
        *last = command;
        last = &command->next;
        if (peek(parser) != TOKEN_PIPE)
            break;
        take(parser);
        skip_newlines(parser);
    } while (true);
    return any || pipeline->first->next != NULL ? pipeline : pipeline->first;
}

static struct node *parse_and_or(struct parser *parser)
{
    struct node *chain = new_node(parser, NODE_AND_OR), **last = &chain->first;
    bool or_else = false;

    for (;;) {
        struct node *pipeline = parse_pipeline(parser);
        if (pipeline == NULL)
            return NULL;
        pipeline->or_else = or_else;
        *last = pipeline;
        last = &pipeline->next;
        enum token_type type = peek(parser);
        if (type != TOKEN_AND_IF && type != TOKEN_OR_IF)
            break;
        or_else = type == TOKEN_OR_IF;
        take(parser);
        skip_newlines(parser);
    }
    return chain->first->next != NULL ? chain : chain->first;
}

struct node *parse_list(struct parser *parser, bool newlines)
{
    struct node *list = new_node(parser, NODE_LIST), **last = &list->first;

    for (;;) {
        if (newlines)
            skip_newlines(parser);
        if (peek(parser) == TOKEN_NEWLINE || at_list_end(parser))
            break;
        struct node *item = parse_and_or(parser);
        if (item == NULL)
            return NULL;
        *last = item;
        last = &item->next;
        enum token_type type = peek(parser);
        item->background = type == TOKEN_AND;
        if (type != TOKEN_AND && type != TOKEN_SEMICOLON && !(newlines && type == TOKEN_NEWLINE))
            break;
        take(parser);
    }
    if (parser->failed != 0 || list->first == NULL)
        return NULL;
    return list->first->next != NULL || list->first->background ? list : list->first;
}

struct node *parse_body(struct parser *parser)
{
    struct node *list = parse_list(parser, true);
    if (list == NULL && parser->failed == 0)
        return unexpected(parser);
    return list;
}

enum parse_status parse_line(struct parse *parse, struct arena *arena)
{
    struct parser parser = {.scan = {.text = parse->text, .len = parse->len},
                            .arena = arena,
                            .at = parse->at,
                            .complete = parse->complete,
                            .line = parse->first_line};
    parser.here_last = &parser.here_first;
    parse->node = NULL;
    if (peek(&parser) == TOKEN_END && parser.failed == 0) {
        parse->at = parser.at;
        return PARSE_END;
    }
    parse->node = parse_list(&parser, false);
    enum token_type type = peek(&parser);
    if (parser.failed == 0 && type != TOKEN_NEWLINE && type != TOKEN_END)
        unexpected(&parser);
    if (type == TOKEN_END && !parse->complete) /* a joined line goes on */
        unexpected(&parser);
    if (parser.failed == 0) {
        parse->at = parser.at;
        return PARSE_OK;
    }
    snprintf(parse->message, sizeof(parse->message), "%s", parser.message);
    parse->error_line = parse->first_line;
    for (size_t i = 0; i < parser.failed_at && i < parse->len; i++)
        parse->error_line += parse->text[i] == '\n';
    return parser.failed == SCAN_INCOMPLETE ? PARSE_INCOMPLETE : PARSE_ERROR;
}

ssize_t parse_nested(struct scan *scan, size_t at)
{
    struct arena arena = {0};
    struct parser parser = {.scan = *scan, .arena = &arena, .at = at, .line_at = at};
    ssize_t end;

    parser.here_last = &parser.here_first;
    parse_list(&parser, true);
    enum token_type type = peek(&parser);
    if (parser.failed == 0 && type != TOKEN_CLOSE)
        unexpected(&parser);
    end = parser.failed != 0 ? parser.failed : (ssize_t)parser.token.end;
    if (end == SCAN_ERROR)
        scan->message = "syntax error in a command substitution";
    arena_free(&arena);
    return end;
}
