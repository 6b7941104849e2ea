/* The expression of find: parsed into nodes, evaluated for each file. Precedence, rising: -o, -a
 * (or nothing), !, parentheses. */
#include "find.h"

static struct {
    struct node *list;
    size_t count, capacity;
    int root; /* -1: none */
} nodes = {.root = -1};

static char **word; /* the next one to parse */

static int new_node(enum node_kind kind, int left, int right)
{
    nodes.list = must_grow(nodes.list, nodes.count, &nodes.capacity, sizeof(struct node));
    nodes.list[nodes.count] = (struct node){.kind = kind, .left = left, .right = right};
    return (int)nodes.count++;
}

static bool accept(const char *text)
{
    if (*word == NULL || strcmp(*word, text) != 0)
        return false;
    word++;
    return true;
}

static const struct test *lookup(const struct test_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->list[i].name, name) == 0)
            return &table->list[i];
    return NULL;
}

static int parse_test(void)
{
    const struct test *test = lookup(&find_tests, *word);
    if (test == NULL)
        test = lookup(&find_actions, *word);
    if (test == NULL)
        errx(1, "%s: unknown test or action", *word);
    int index = new_node(NODE_TEST, -1, -1);
    struct node *node = &nodes.list[index];
    node->test = test;
    find.has_action |= test->is_action;
    word++;
    if (test->arguments < 0) {
        word = exec_parse(node, word);
    } else if (test->arguments > 0) {
        if (*word == NULL)
            errx(1, "%s: missing argument", test->name);
        node->text = *word++;
    }
    if (test->parse != NULL)
        test->parse(node, node->text);
    return index;
}

static int parse_or(int depth);

static int parse_factor(int depth)
{
    bool negated = false;
    int inner;
    while (accept("!") || accept("-not"))
        negated = !negated;
    if (*word == NULL)
        errx(1, "the expression ends too early");
    if (accept("(")) {
        if (depth > 100)
            errx(1, "parentheses nested too deeply");
        inner = parse_or(depth + 1);
        if (!accept(")"))
            errx(1, "missing )");
    } else {
        inner = parse_test();
    }
    return negated ? new_node(NODE_NOT, inner, -1) : inner;
}

static bool ends_and(void)
{
    return *word == NULL || strcmp(*word, ")") == 0 || strcmp(*word, "-o") == 0 ||
           strcmp(*word, "-or") == 0;
}

static int parse_and(int depth)
{
    int left = parse_factor(depth);
    while (!ends_and()) {
        if (!accept("-a"))
            accept("-and");
        int right = parse_factor(depth);
        left = new_node(NODE_AND, left, right);
    }
    return left;
}

static int parse_or(int depth)
{
    int left = parse_and(depth);
    while (accept("-o") || accept("-or")) {
        int right = parse_and(depth);
        left = new_node(NODE_OR, left, right);
    }
    return left;
}

/* evaluate: as deep as the expression, that is, at most as deep as there are arguments. */
static bool evaluate(int index, const struct walk_entry *entry)
{
    struct node *node = &nodes.list[index];
    if (node->kind == NODE_TEST)
        return node->test->holds(node, entry);
    bool value = evaluate(node->left, entry);
    if (node->kind == NODE_NOT)
        return !value;
    if (value != (node->kind == NODE_AND) || find.quit)
        return value;
    return evaluate(node->right, entry);
}

void expression_parse(char **words)
{
    word = words;
    if (*word != NULL)
        nodes.root = parse_or(0);
    if (*word != NULL)
        errx(1, "%s: unexpected", *word);
}

bool expression_holds(const struct walk_entry *entry)
{
    return nodes.root < 0 || evaluate(nodes.root, entry);
}

void expression_finish(void)
{
    for (size_t i = 0; i < nodes.count; i++) {
        if (nodes.list[i].batch_count > 0)
            exec_finish(&nodes.list[i]);
        free(nodes.list[i].batch);
    }
    free(nodes.list);
}
