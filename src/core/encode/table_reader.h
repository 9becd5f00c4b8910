/*
 * table_reader.h - one table of a message, read field by field.
 *
 * The host may use the encoder again from inside any call of its source: a metamethod
 * or a finalizer that sends on the same client. The buffers then hold another message,
 * and every offset into them is wrong. So core calls the source through the functions
 * below: they notice it, and from then on the reader reads nothing and writes into a
 * buffer that is full. Code that keeps an offset needs no other check than the one it
 * has anyway, that the buffer is CLY_BUFFER_FINE.
 *
 * cly_collect steps once through a table, finds the field behind each key, and
 * reports what is unknown (naming the nearest field) or given twice. The values
 * stay held in `slots`, by their place in the shape, until the caller releases
 * what it marked.
 */
#ifndef CLY_CORE_ENCODE_TABLE_READER_H
#define CLY_CORE_ENCODE_TABLE_READER_H

#include "core/json/json_writer.h"
#include "core/api/problems.h"
#include "core/api/schema.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

typedef struct cly_reader {
    const cly_source *source;
    cly_problems *problems;
    cly_json_writer json;
    const unsigned *generation; /* the encoder's, or NULL where there is none */
    unsigned began;             /* the generation that this reader belongs to */
    cly_buffer nowhere;         /* takes what is written after it is over */
} cly_reader;

/* Whether the encoder was used for something else since the reader began. */
static inline bool cly_reader_is_over(const cly_reader *reader) {
    return reader->generation && *reader->generation != reader->began;
}

/* Leads all further writing nowhere. */
void cly_reader_leave(cly_reader *reader);

static inline void cly_reader_look(cly_reader *reader) {
    if (cly_reader_is_over(reader)) cly_reader_leave(reader);
}

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

/* ---- the source's functions that may run code of the host ---- */

static const cly_value cly_no_value = {CLY_TYPE_NIL, {0}, NULL, 0};

static inline void cly_reader_next(cly_reader *reader, cly_value table, cly_entries *entries) {
    entries->count = 0;
    if (!cly_reader_is_over(reader)) reader->source->next(reader->source->host, table, entries);
    cly_reader_look(reader);
    if (!cly_reader_is_over(reader)) return;
    entries->count = 0;
    entries->is_over = true;
}

static inline bool cly_reader_has_defaults(cly_reader *reader, cly_value table) {
    bool has_some = !cly_reader_is_over(reader) && reader->source->has_defaults(reader->source->host, table);
    cly_reader_look(reader);
    return has_some && !cly_reader_is_over(reader);
}

static inline cly_value cly_reader_source_field(cly_reader *reader, cly_value table, const char *name) {
    cly_value value = cly_no_value;
    if (!cly_reader_is_over(reader)) value = reader->source->field(reader->source->host, table, name);
    cly_reader_look(reader);
    return value;
}

static inline cly_value cly_reader_source_item(cly_reader *reader, cly_value table, size_t index) {
    cly_value value = cly_no_value;
    if (!cly_reader_is_over(reader)) value = reader->source->item(reader->source->host, table, index);
    cly_reader_look(reader);
    return value;
}

static inline int cly_reader_source_items(cly_reader *reader, cly_value table, cly_value *items, int room) {
    int count = 0;
    if (!cly_reader_is_over(reader)) count = reader->source->items(reader->source->host, table, items, room);
    cly_reader_look(reader);
    return cly_reader_is_over(reader) ? 0 : count;
}

static inline cly_list_shape cly_reader_source_list(cly_reader *reader, cly_value table) {
    cly_list_shape list = {0, 0, false, false};
    if (!cly_reader_is_over(reader)) list = reader->source->list(reader->source->host, table);
    cly_reader_look(reader);
    return list;
}

/* Into the reader's own output. */
static inline const char *cly_reader_source_json(cly_reader *reader, cly_value value) {
    const char *why = NULL;
    if (!cly_reader_is_over(reader))
        why = reader->source->json(reader->source->host, value, reader->json.out);
    cly_reader_look(reader);
    return why;
}

/* Type of a value, and whether it counts as absent. */
static inline cly_type cly_reader_type(const cly_reader *reader, cly_value value) {
    (void)reader;
    return value.type;
}

static inline bool cly_reader_is_absent(const cly_reader *reader, cly_value value) {
    (void)reader;
    return value.type == CLY_TYPE_NIL || value.type == CLY_TYPE_NULL;
}

/* Reports "<expected> expected, got <type>". */
void cly_reader_expected(cly_reader *reader, const cly_path *path, const char *expected, cly_value value);

/* False, with a problem, when the value is not a table. */
static inline bool cly_reader_table(cly_reader *reader, cly_value value, const cly_path *path) {
    if (value.type == CLY_TYPE_TABLE) return true;
    cly_reader_expected(reader, path, "table", value);
    return false;
}

/* Fills the slots from a table; `path` is the table's own. */
void cly_collect(cly_reader *reader, const cly_shape *shape, cly_value table, const cly_path *path,
                 cly_slots *slots);

/* How many of the slots from `first` to `last` are given; `*at` becomes the last
 * of them, and stays when there is none. */
int cly_count_given(const cly_slots *slots, size_t first, size_t last, size_t *at);

/* True of a plain list so short that all of it is at hand. */
bool cly_reader_at_hand(cly_reader *reader, cly_value table, cly_list *list);

/* Reads a list of `low` to `high` items and returns their number, or -1 with a
 * problem when it is not one. A hole is a problem, named by its index. */
int cly_reader_list(cly_reader *reader, cly_value value, const cly_path *path, int low, int high,
                    cly_list *list);

/* An item of it, from 1, held; good until the next is asked for. */
static inline const cly_value *cly_reader_item(cly_reader *reader, cly_list *list, int index) {
    if (index <= list->at_hand) return &list->items[index - 1];
    list->other = cly_reader_source_item(reader, list->table, (size_t)index);
    return &list->other;
}

/* The known name that `name` is most like, or NULL. */
const char *cly_nearest_field(const cly_shape *shape, const char *name, size_t length);

CLY_PRIVATE_END

#endif
