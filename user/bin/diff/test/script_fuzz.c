/* Edit scripts of any two sequences: what is left of both must be equal, and as long as the
 * longest common subsequence, which is computed here the slow way. */
#include "../script.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_MAX 200

static size_t longest_common(const int *a, size_t n, const int *b, size_t m)
{
    static size_t best[LENGTH_MAX + 1][LENGTH_MAX + 1];
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++)
            best[i][j] = i == 0 || j == 0                  ? 0
                         : a[i - 1] == b[j - 1]            ? best[i - 1][j - 1] + 1
                         : best[i - 1][j] > best[i][j - 1] ? best[i - 1][j]
                                                           : best[i][j - 1];
    return best[n][m];
}

/* Input: one byte that divides the rest into two sequences of few different elements. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int numbers[2][LENGTH_MAX];
    bool changed[2][LENGTH_MAX];
    if (size < 1 || size > LENGTH_MAX)
        return 0;
    size_t n = data[0] % size, m = size - 1 - n, i = 0, j = 0, common = 0;
    for (size_t at = 0; at < n; at++)
        numbers[0][at] = data[1 + at] % 6;
    for (size_t at = 0; at < m; at++)
        numbers[1][at] = data[1 + n + at] % 6;
    struct sequence a = {numbers[0], changed[0], n}, b = {numbers[1], changed[1], m};
    if (!edit_script(&a, &b, 6))
        return 0;
    for (;; i++, j++, common++) {
        while (i < n && changed[0][i])
            i++;
        while (j < m && changed[1][j])
            j++;
        if (i == n || j == m)
            break;
        if (numbers[0][i] != numbers[1][j])
            abort();
    }
    if (i != n || j != m || common != longest_common(numbers[0], n, numbers[1], m))
        abort();
    return 0;
}
