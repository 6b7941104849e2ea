/* Doubly linked lists with the links inside the elements; a list head is itself a link. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define list_for_each(position, head)                                                              \
    for (struct list *position = (head)->next; position != (head); position = position->next)

static inline void list_init(struct list *list) { list->next = list->prev = list; }
static inline bool list_empty(const struct list *list) { return list->next == list; }

static inline void list_insert(struct list *before, struct list *link)
{
    link->prev = before->prev;
    link->next = before;
    before->prev->next = link;
    before->prev = link;
}
static inline void list_push_back(struct list *list, struct list *link) { list_insert(list, link); }
static inline void list_push_front(struct list *list, struct list *link)
{
    list_insert(list->next, link);
}
/* Leaves the link pointing at itself, so removing twice is harmless. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}
static inline struct list *list_pop_front(struct list *list)
{
    struct list *first = list->next;
    if (first == list)
        return NULL;
    list_remove(first);
    return first;
}
