/*
 * list.h - intrusive doubly linked lists.
 *
 * CLY_LIST_FUNCTIONS(item, list, append, detach) defines two functions for items with the members
 * `previous` and `next` and lists with the members `first` and `last`. An item is in at most one list.
 * `detach` returns the item.
 */
#ifndef CLY_CORE_BASE_LIST_H
#define CLY_CORE_BASE_LIST_H

#include <stddef.h>

#define CLY_LIST_FUNCTIONS(item, list, append, detach)                            \
    static inline void append(list *to, item *added) {                            \
        added->next = NULL;                                                       \
        added->previous = to->last;                                               \
        *(to->last ? &to->last->next : &to->first) = added;                       \
        to->last = added;                                                         \
    }                                                                             \
    static inline item *detach(list *from, item *taken) {                         \
        *(taken->previous ? &taken->previous->next : &from->first) = taken->next; \
        *(taken->next ? &taken->next->previous : &from->last) = taken->previous;  \
        return taken;                                                             \
    }

#endif
