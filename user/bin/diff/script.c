/* Shortest edit scripts in linear space (E. Myers, Algorithmica 1, 1986, section 4b): find the
 * middle of an optimal path by searching from both ends at once, then do the same before and
 * behind it. Parts that wait are on a stack of their own. Elements that the other sequence does
 * not have at all are set aside before, which makes unrelated sequences cheap. */
#include "script.h"
#include <stdlib.h>
#include <string.h>

/* What is left of one sequence: numbers, and where each came from. */
struct reduced {
    int *numbers;
    size_t *places;
    long count;
};

/* a[a0..a1) against b[b0..b1). */
struct part {
    long a0, a1, b0, b1;
};

struct search {
    struct reduced a, b;
    long *forward, *backward; /* furthest x on each diagonal, from the start, from the end */
    struct part *parts;       /* waiting */
    size_t count, capacity;
};

#define UNREACHED (-1L)

/* find_middle: a point on an optimal path through a part whose first and last elements differ
 * and of which no side is empty. Coordinates are relative to the part, n by m; a diagonal is
 * k = x - y, from -m to n. After d rounds, forward[k] (k = -d, -d+2, ...) is the furthest x that
 * d edits reach from (0, 0), and backward[k] the least x from which d edits reach (n, m). When
 * the two meet, the path is optimal. Both sides of the point have at least one edit. */
static void find_middle(struct search *search, const struct part *part, long *x_out, long *y_out)
{
    const int *a = search->a.numbers + part->a0, *b = search->b.numbers + part->b0;
    long n = part->a1 - part->a0, m = part->b1 - part->b0, delta = n - m;
    long *forward = search->forward + m + 1, *backward = search->backward + m + 1;
    bool odd = delta % 2 != 0;

    forward[0] = 0;
    forward[-1] = forward[1] = UNREACHED;
    backward[delta] = n;
    backward[delta - 1] = backward[delta + 1] = UNREACHED;
    for (long d = 1;; d++) {
        if (d <= m)
            forward[-d - 1] = UNREACHED;
        if (d <= n)
            forward[d + 1] = UNREACHED;
        for (long k = d <= m ? -d : -m + (d - m) % 2; k <= d && k <= n; k += 2) {
            long x = UNREACHED;
            if (forward[k - 1] != UNREACHED && forward[k - 1] < n)
                x = forward[k - 1] + 1;
            if (forward[k + 1] != UNREACHED && forward[k + 1] - k <= m && forward[k + 1] > x)
                x = forward[k + 1];
            while (x != UNREACHED && x < n && x - k < m && a[x] == b[x - k])
                x++;
            forward[k] = x;
            if (odd && x != UNREACHED && labs(k - delta) < d && backward[k] != UNREACHED &&
                x >= backward[k]) {
                *x_out = x;
                *y_out = x - k;
                return;
            }
        }
        if (delta - d - 1 >= -m - 1)
            backward[delta - d - 1] = UNREACHED;
        if (delta + d + 1 <= n + 1)
            backward[delta + d + 1] = UNREACHED;
        long low = delta - d >= -m ? delta - d : -m + (d - delta - m) % 2;
        for (long k = low; k <= delta + d && k <= n; k += 2) {
            long x = UNREACHED;
            if (backward[k + 1] != UNREACHED && backward[k + 1] > 0)
                x = backward[k + 1] - 1;
            if (backward[k - 1] != UNREACHED && backward[k - 1] - k >= 0 &&
                (x == UNREACHED || backward[k - 1] < x))
                x = backward[k - 1];
            while (x > 0 && x - k > 0 && a[x - 1] == b[x - k - 1])
                x--;
            backward[k] = x;
            if (!odd && x != UNREACHED && labs(k) <= d && forward[k] != UNREACHED &&
                x <= forward[k]) {
                *x_out = x;
                *y_out = x - k;
                return;
            }
        }
    }
}

static bool push(struct search *search, struct part part)
{
    if (search->count == search->capacity) {
        size_t capacity = search->capacity * 2 + 64;
        void *parts = realloc(search->parts, capacity * sizeof(part));
        if (parts == NULL)
            return false;
        search->parts = parts;
        search->capacity = capacity;
    }
    search->parts[search->count++] = part;
    return true;
}

/* solve: one part: what is common at both ends goes, then all is clear or there is a middle. */
static bool solve(struct search *search, struct part part, bool *a_changed, bool *b_changed)
{
    const int *a = search->a.numbers, *b = search->b.numbers;
    while (part.a0 < part.a1 && part.b0 < part.b1 && a[part.a0] == b[part.b0])
        part.a0++, part.b0++;
    while (part.a0 < part.a1 && part.b0 < part.b1 && a[part.a1 - 1] == b[part.b1 - 1])
        part.a1--, part.b1--;
    if (part.a0 == part.a1 || part.b0 == part.b1) {
        for (long i = part.a0; i < part.a1; i++)
            a_changed[search->a.places[i]] = true;
        for (long i = part.b0; i < part.b1; i++)
            b_changed[search->b.places[i]] = true;
        return true;
    }
    long x, y;
    find_middle(search, &part, &x, &y);
    return push(search, (struct part){part.a0, part.a0 + x, part.b0, part.b0 + y}) &&
           push(search, (struct part){part.a0 + x, part.a1, part.b0 + y, part.b1});
}

/* reduce: keeps what the other sequence has, too. */
static bool reduce(struct reduced *to, const struct sequence *from, const bool *other_has)
{
    to->numbers = malloc((from->count + 1) * sizeof(int));
    to->places = malloc((from->count + 1) * sizeof(size_t));
    if (to->numbers == NULL || to->places == NULL)
        return false;
    to->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        from->changed[i] = !other_has[from->numbers[i]];
        if (from->changed[i])
            continue;
        to->numbers[to->count] = from->numbers[i];
        to->places[to->count++] = i;
    }
    return true;
}

bool edit_script(const struct sequence *a, const struct sequence *b, size_t limit)
{
    struct search search = {0};
    bool good = false;
    bool *in_a = calloc(limit + 1, 1), *in_b = calloc(limit + 1, 1);
    if (in_a == NULL || in_b == NULL)
        goto out;
    for (size_t i = 0; i < a->count; i++)
        in_a[a->numbers[i]] = true;
    for (size_t i = 0; i < b->count; i++)
        in_b[b->numbers[i]] = true;
    if (!reduce(&search.a, a, in_b) || !reduce(&search.b, b, in_a))
        goto out;
    size_t diagonals = (size_t)(search.a.count + search.b.count) + 3;
    search.forward = malloc(diagonals * sizeof(long));
    search.backward = malloc(diagonals * sizeof(long));
    if (search.forward == NULL || search.backward == NULL)
        goto out;
    good = push(&search, (struct part){0, search.a.count, 0, search.b.count});
    while (good && search.count > 0)
        good = solve(&search, search.parts[--search.count], a->changed, b->changed);
out:
    free(in_a);
    free(in_b);
    free(search.a.numbers);
    free(search.a.places);
    free(search.b.numbers);
    free(search.b.places);
    free(search.forward);
    free(search.backward);
    free(search.parts);
    return good;
}
