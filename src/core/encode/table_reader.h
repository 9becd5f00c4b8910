/*
 * table_reader.h - reads a table of a message field by field.
 *
 * Any function of a source may run code of the host that uses the encoder again: a metamethod or a
 * finalizer that sends on the same client. The buffers then hold another message, and all offsets into
 * them are invalid. So core calls the source only through the functions below. They detect this; from
 * then on the reader reads nothing and writes into a buffer that is full. Code that keeps an offset
 * needs no extra check: it checks anyway that the buffer is CLY_BUFFER_FINE.
 *
 * cly_collect iterates once over a table, finds the field for each key, and reports keys that are
 * unknown (with the nearest field) or given twice. The values stay held in `slots`, at their index in
 * the shape, until the caller releases its mark.
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
    const unsigned *generation; /* the encoder's, or NULL if there is none */
    unsigned began;             /* the generation of this reader */
    cly_buffer nowhere;         /* receives the writes after the reader is over */
} cly_reader;

/* Whether the encoder was used for another message since the reader began. */
static inline bool cly_reader_is_over(const cly_reader *reader) {
    return reader->generation && *reader->generation != reader->began;
}

/* Redirects all further writes into `nowhere`. */
void cly_reader_leave(cly_reader *reader);

static inline void cly_reader_look(cly_reader *reader) {
    if (cly_reader_is_over(reader)) cly_reader_leave(reader);
}

typedef struct cly_slots {
    const cly_shape *shape;
    bool given[CLY_SLOT_MAX]; /* given, and neither nil nor JSON null */
    cly_value values[CLY_SLOT_MAX];
} cly_slots;

/* A list. A short one has all its items at hand; of a longer one, items are fetched one at a time. */
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

/* Appends JSON to the reader's output. */
static inline const char *cly_reader_source_json(cly_reader *reader, cly_value value) {
    const char *why = NULL;
    if (!cly_reader_is_over(reader))
        why = reader->source->json(reader->source->host, value, reader->json.out);
    cly_reader_look(reader);
    return why;
}

/* The type of a value, and whether it counts as absent. */
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

/* Returns false and reports a problem if the value is not a table. */
static inline bool cly_reader_table(cly_reader *reader, cly_value value, const cly_path *path) {
    if (value.type == CLY_TYPE_TABLE) return true;
    cly_reader_expected(reader, path, "table", value);
    return false;
}

/* Reads a table into the slots. `path` is the path of the table. */
void cly_collect(cly_reader *reader, const cly_shape *shape, cly_value table, const cly_path *path,
                 cly_slots *slots);

/* Counts the given slots from `first` to `last`. `*at` receives the index of the last given one, and
 * stays unchanged if there is none. */
int cly_count_given(const cly_slots *slots, size_t first, size_t last, size_t *at);

/* Returns true for a plain list that is short enough for all items to be at hand. */
bool cly_reader_at_hand(cly_reader *reader, cly_value table, cly_list *list);

/* Reads a list of `low` to `high` items and returns their number, or reports a problem and returns -1.
 * A hole is a problem at its index. */
int cly_reader_list(cly_reader *reader, cly_value value, const cly_path *path, int low, int high,
                    cly_list *list);

/* Returns an item of the list, from 1. It is held, and valid until the next one is requested. */
static inline const cly_value *cly_reader_item(cly_reader *reader, cly_list *list, int index) {
    if (index <= list->at_hand) return &list->items[index - 1];
    list->other = cly_reader_source_item(reader, list->table, (size_t)index);
    return &list->other;
}

/* Returns the field name most similar to `name`, or NULL. */
const char *cly_nearest_field(const cly_shape *shape, const char *name, size_t length);

CLY_PRIVATE_END

#endif
