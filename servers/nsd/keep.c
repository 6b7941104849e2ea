/* What nsd leaves to its successor: the table and the views, twice. One copy is valid; a change is
 * written into the other, which becomes the valid one by a single store: version counts them.
 *
 * In the table stand no handles but places: numbers under which init keeps the handles, so that the
 * table means the same to every process. Invariant: a place that the valid copy names is kept. */
#include "abi/errno.h"
#include "cairn/kept.h"
#include "cairn/syscall.h"
#include "nsd/nametable_parts.h"
#include "nsd/nsd.h"
#include <string.h>

#define LAYOUT 1

struct copy {
    uint64_t generation;
    uint32_t entry_count;
    uint64_t used; /* views, a bit each */
    uint64_t badges[NAME_VIEWS];
    uint32_t clients[NAME_VIEWS];
    struct entry entries[NAME_ENTRIES];
    struct view views[NAME_VIEWS];
};
_Static_assert(NAME_VIEWS <= 64, "a bit for each view");

static struct kept {
    uint64_t version; /* of the copy that is valid, copies[version % 2]; 0 = none yet */
    struct copy copies[2];
    struct kept_calls calls; /* value: the version that this call made */
    struct kept_listing listings[LISTINGS_MAX];
    struct kept_calls reads; /* value: the offset before */
} * kept;

static struct {
    handle_t handle; /* 0 = not fetched from init yet */
    bool used, leaving;
} places[PLACES];
static bool any_leaves;

/* ---- Places -----------------------------------------------------------------------------------
 */

int64_t place_take(handle_t handle)
{
    for (unsigned place = PLACE_FACE + 1; place < PLACES; place++) {
        if (places[place].used)
            continue;
        int error = kept_put(place, handle);
        if (error < 0)
            return error;
        places[place].handle = handle;
        places[place].used = true;
        return place;
    }
    return -ENFILE;
}

handle_t place_handle(int64_t place)
{
    if (place == PLACE_FACE)
        return view_face(0);
    if (places[place].handle == 0) {
        handle_t handle = kept_get((unsigned)place);
        if (handle < 0)
            return handle;
        places[place].handle = handle;
    }
    return places[place].handle;
}

void place_leave(int64_t place)
{
    if (place > PLACE_FACE)
        places[place].leaving = any_leaves = true;
}

bool places_leave(void) { return any_leaves; }

static void places_empty(void)
{
    for (unsigned place = PLACE_FACE + 1; any_leaves && place < PLACES; place++) {
        if (!places[place].leaving)
            continue;
        if (places[place].handle > 0)
            handle_close(places[place].handle);
        kept_drop(place);
        places[place].handle = 0;
        places[place].used = places[place].leaving = false;
    }
    any_leaves = false;
}

/* ---- Copies -----------------------------------------------------------------------------------
 */

void keep_changes(uint64_t token)
{
    uint64_t version = kept->version + 1;
    struct copy *copy = &kept->copies[version % 2];
    copy->generation = badge_generation;
    copy->entry_count = (uint32_t)name_table->entry_count;
    memcpy(copy->entries, name_table->entries, name_table->entry_count * sizeof copy->entries[0]);
    copy->used = 0;
    for (unsigned i = 0; i < NAME_VIEWS; i++) {
        if (!name_table->views[i].used)
            continue;
        copy->used |= 1ul << i;
        copy->views[i] = name_table->views[i];
        copy->badges[i] = view_owner(i, &copy->clients[i]);
    }
    if (token)
        kept_note(&kept->calls, token, version);
    kept_barrier();
    kept->version = version;
    kept_barrier();
    places_empty();
}

bool keep_is_done(uint64_t token)
{
    return kept_noted(&kept->calls, token) != NULL;
}

static bool place_adopt(int64_t place)
{
    if (place < 0 || place >= PLACES)
        return false;
    places[place].used = true;
    return true;
}

static bool adopt(const struct copy *copy)
{
    bool valid = copy->entry_count <= NAME_ENTRIES;
    for (unsigned i = 0; i < NAME_VIEWS; i++) {
        if (!(copy->used >> i & 1))
            continue;
        name_table->views[i] = copy->views[i];
        view_adopt(i, copy->badges[i], copy->clients[i]);
        valid &= copy->views[i].rule_count <= NAME_RULES;
        for (unsigned n = 0; valid && n < copy->views[i].rule_count; n++)
            valid &= place_adopt(copy->views[i].rules[n].handle);
    }
    for (unsigned i = 0; valid && i < copy->entry_count; i++)
        valid &= place_adopt(copy->entries[i].handle);
    if (!valid)
        return false;
    memcpy(name_table->entries, copy->entries, copy->entry_count * sizeof copy->entries[0]);
    name_table->entry_count = copy->entry_count;
    /* A clock that is set back must not make a badge come twice. */
    if (badge_generation < copy->generation)
        badge_generation = copy->generation;
    return true;
}

struct kept_listing *keep_listings(struct kept_calls **calls)
{
    *calls = &kept->reads;
    return kept->listings;
}

bool keep_start(void)
{
    bool adopted;
    kept = kept_state(LAYOUT, sizeof *kept, &adopted);
    if (kept == NULL)
        process_exit(1);
    if (!adopted || kept->version == 0)
        return false;
    for (unsigned i = 0; i < THREADS_MAX; i++) /* noted, but not made */
        if (kept->calls.of[i].value > kept->version)
            kept->calls.of[i].call = 0;
    if (adopt(&kept->copies[kept->version % 2]))
        return true;
    debug_write("nsd: what was kept makes no sense\n", 34);
    kept_reset();
    process_exit(1);
}
