/* echo, printf and test: the same code as the programs of these names. */
#include "../../common/printf_words.h"
#include "../../common/test_expression.h"
#include "builtin.h"

static void add(void *context, const char *bytes, size_t len)
{
    text_add(context, bytes, len);
}

int builtin_echo(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    struct sink sink = {add, &text};
    echo_words(&sink, argc, argv);
    return builtin_write(shell, argv[0], &text);
}

int builtin_printf(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    struct sink sink = {add, &text};
    const char *bad;
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    if (argc <= first)
        return builtin_usage(shell, argv[0]);
    int status = printf_words(&sink, argv[first], argv + first + 1, argc - first - 1, &bad);
    int written = builtin_write(shell, argv[0], &text);
    if (status != 0 && bad != NULL)
        complain(shell,
                 bad[0] == '%' ? "printf: %s: unknown directive" : "printf: %s: not a number", bad);
    return written != 0 ? written : status;
}

int builtin_test(struct shell *shell, int argc, char **argv)
{
    const char *error, *word;
    int count = argc - 1;

    if (strcmp(argv[0], "[") == 0) {
        if (argc < 2 || strcmp(argv[argc - 1], "]") != 0) {
            complain(shell, "[: missing ]");
            return 2;
        }
        count--;
    }
    int status = test_evaluate(argv + 1, count, &error, &word);
    if (error != NULL)
        complain(shell, "%s: %s: %s", argv[0], word, error);
    return status;
}
