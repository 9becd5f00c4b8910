/*
 * walk.h - one table of a message, read field by field.
 *
 * cly_collect steps once through a table, finds the field behind each key, and
 * reports what is unknown (naming the nearest field) or given twice. The values
 * stay held in `slots`, by their place in the shape, until the caller releases
 * what it marked.
 */
#ifndef CLY_CORE_WALK_H
#define CLY_CORE_WALK_H

#include "core/json_writer.h"
#include "core/problems.h"
#include "core/schema.h"
#include "core/source.h"

CLY_PRIVATE_BEGIN

typedef struct cly_walk {
    const cly_source *source;
    cly_problems *problems;
    cly_json_writer json;
} cly_walk;

typedef struct cly_slots {
    const cly_shape *shape;
    bool given[CLY_SLOT_MAX]; /* set, and neither nil nor JSON's null */
    cly_value values[CLY_SLOT_MAX];
} cly_slots;

/* A list, a few items of which are at hand at once; the others come one by one. */
enum { CLY_AT_HAND = 16 };

typedef struct cly_list {
    cly_value table;
    int count, at_hand;
    cly_value items[CLY_AT_HAND], other;
} cly_list;

/* Type of a value, and whether it counts as absent. */
static inline cly_type cly_walk_type(const cly_walk *walk, cly_value value) {
    (void)walk;
    return value.type;
}

static inline bool cly_walk_is_absent(const cly_walk *walk, cly_value value) {
    (void)walk;
    return value.type == CLY_TYPE_NIL || value.type == CLY_TYPE_NULL;
}

/* Reports "<expected> expected, got <type>". */
void cly_walk_expected(cly_walk *walk, const cly_path *path, const char *expected, cly_value value);

/* False, with a problem, when the value is not a table. */
static inline bool cly_walk_table(cly_walk *walk, cly_value value, const cly_path *path) {
    if (value.type == CLY_TYPE_TABLE) return true;
    cly_walk_expected(walk, path, "table", value);
    return false;
}

/* Fills the slots from a table; `path` is the table's own. */
void cly_collect(cly_walk *walk, const cly_shape *shape, cly_value table, const cly_path *path,
                 cly_slots *slots);

/* How many of the slots from `first` to `last` are given; `*at` becomes the last
 * of them, and stays when there is none. */
int cly_count_given(const cly_slots *slots, size_t first, size_t last, size_t *at);

/* True of a plain list so short that all of it is at hand. */
bool cly_walk_at_hand(const cly_walk *walk, cly_value table, cly_list *list);

/* Reads a list of `low` to `high` items and returns their number, or -1 with a
 * problem when it is not one. A hole is a problem, named by its index. */
int cly_walk_list(cly_walk *walk, cly_value value, const cly_path *path, int low, int high, cly_list *list);

/* An item of it, from 1, held; good until the next is asked for. */
static inline const cly_value *cly_walk_item(const cly_walk *walk, cly_list *list, int index) {
    if (index <= list->at_hand) return &list->items[index - 1];
    list->other = walk->source->item(walk->source->host, list->table, (size_t)index);
    return &list->other;
}

/* The known name that `name` is most like, or NULL. */
const char *cly_nearest_field(const cly_shape *shape, const char *name, size_t length);

CLY_PRIVATE_END

#endif
