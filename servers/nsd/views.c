/* Views as handles: each is a badge, and goes when the last handle with it closes. */
#include "abi/errno.h"
#include "cairn/syscall.h"
#include "nsd/nsd.h"

static struct {
    uint64_t badge;  /* 0: not in use */
    uint32_t client; /* who made it; he alone may change its rules */
    handle_t face;   /* ns: of this view; 0: nobody asked yet */
} views[NAME_VIEWS];

int view_of_badge(uint64_t badge)
{
    unsigned slot = BADGE_SLOT(badge);
    if (BADGE_REST(badge) == 0)
        return 0;
    if (slot == 0 || slot >= NAME_VIEWS || BADGE_REST(views[slot].badge) != BADGE_REST(badge))
        return -EBADF;
    return (int)slot;
}

bool view_is_of(int view, uint32_t client)
{
    return views[view].client == client;
}

uint64_t view_owner(unsigned view, uint32_t *client)
{
    *client = views[view].client;
    return views[view].badge;
}

void view_adopt(unsigned view, uint64_t badge, uint32_t client)
{
    views[view].badge = badge;
    views[view].client = client;
}

/* Minted once a view, and handed out as copies: what a client asks for costs nsd nothing more. */
handle_t view_face(int view)
{
    if (views[view].face == 0) {
        uint64_t badge = (uint64_t)CLASS_FACE << 56 | BADGE_REST(views[view].badge);
        int64_t face = handle_mint(service, CLIENT_RIGHTS, badge);
        if (face < 0)
            return (handle_t)face;
        views[view].face = (handle_t)face;
    }
    return views[view].face;
}

static unsigned count_of(uint32_t client)
{
    unsigned own = 0;
    for (unsigned i = 1; i < NAME_VIEWS; i++)
        own += views[i].badge != 0 && views[i].client == client;
    return own;
}

static void release(int64_t place, void *context)
{
    (void)context;
    place_leave(place);
}

int64_t view_new(int parent, unsigned flags, uint32_t client, handle_t *handle)
{
    if (flags & ~(unsigned)(NS_VIEW_EMPTY | NS_VIEW_READ_ONLY))
        return -EINVAL;
    if (count_of(client) >= VIEWS_A_CLIENT)
        return -EDQUOT;
    int view = name_view_create(name_table, parent, (flags & NS_VIEW_EMPTY) != 0,
                                (flags & NS_VIEW_READ_ONLY) != 0);
    if (view < 0)
        return view;
    uint64_t badge = badge_new(CLASS_VIEW, (unsigned)view);
    int64_t minted = handle_mint(service, CLIENT_RIGHTS, badge);
    if (minted < 0) {
        name_view_drop(name_table, view, release, NULL);
        return minted;
    }
    views[view].badge = badge;
    views[view].client = client;
    views[view].face = 0;
    *handle = (handle_t)minted;
    return 0;
}

void view_closed(uint64_t badge)
{
    int view = view_of_badge(badge);
    if (view <= 0)
        return;
    waiters_drop(view);
    name_view_drop(name_table, view, release, NULL);
    if (views[view].face != 0)
        handle_close(views[view].face);
    views[view].badge = 0;
    keep_changes(0);
}
