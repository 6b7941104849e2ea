/* find's expression: a tree of nodes whose leaves are tests and actions from two tables. */
#pragma once

#include "../common/walk.h"
#include <time.h>

struct node;

struct test {
    const char *name;
    int arguments;
    void (*parse)(struct node *node, const char *argument); /* may be NULL */
    bool (*holds)(struct node *node, const struct walk_entry *entry);
    bool is_action; /* then -print is not implied */
};

enum node_kind { NODE_TEST, NODE_NOT, NODE_AND, NODE_OR };

struct node {
    enum node_kind kind;
    int left, right; /* of operators */
    const struct test *test;
    const char *text;
    char sign; /* of a number: '+' more than, '-' less than, 0 exactly */
    uint64_t number, unit;
    struct timespec time;
    char **arguments; /* of -exec; count without the final ; or + */
    size_t argument_count;
    char **batch; /* of -exec +: paths that wait */
    size_t batch_count, batch_capacity, batch_limit;
    bool batched;
};

/* What holds for the whole run. */
struct find_state {
    uint64_t least_depth, most_depth;
    bool contents_first; /* -depth: a directory comes after what is in it */
    bool has_action;     /* else -print is implied */
    bool quit, prune;    /* set by actions on the way */
    int status;
    time_t now;
};
extern struct find_state find;

struct test_table {
    const struct test *list;
    size_t count;
};
extern const struct test_table find_tests;   /* tests.c */
extern const struct test_table find_actions; /* actions.c */

/* number_parse: "+5", "-5" or "5", for tests that compare a number. */
void number_parse(struct node *node, const char *argument);

/* exec_parse: the words of -exec up to ; or {} +. Returns the first one behind them. */
char **exec_parse(struct node *node, char **words);

/* exec_finish: runs what -exec + has collected. */
void exec_finish(struct node *node);

/* expression_parse: all the words; none hold for everything. Ends the program if it cannot. */
void expression_parse(char **words);

bool expression_holds(const struct walk_entry *entry);

/* expression_finish: runs what -exec + has collected and frees all. */
void expression_finish(void);
