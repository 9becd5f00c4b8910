#include "core/encode/table_reader.h"

#include "core/base/text.h"
#include <stdio.h>

void cly_reader_leave(cly_reader *reader) {
    cly_buffer_init(&reader->nowhere, 0);
    reader->nowhere.state = CLY_BUFFER_FULL;
    reader->json.out = &reader->nowhere;
}

void cly_reader_expected(cly_reader *reader, const cly_path *path, const char *expected, cly_value value) {
    cly_problem_add(reader->problems, path, "%s expected, got %s", expected,
                    reader->source->type_name(reader->source->host, value));
}

static bool is_name(const char *known, size_t known_length, const char *name, size_t length) {
    return known_length == length && known[0] == name[0] && memcmp(known, name, length) == 0;
}

/* Returns the index of a key in the shape, or -1. Shapes are short, so a linear search that compares
 * lengths first is faster than a hash table. */
static int find(const cly_shape *shape, const char *key, size_t length) {
    for (size_t i = 0; i < shape->count; i++) {
        const cly_field *field = &shape->fields[i];
        if (is_name(field->name, field->name_length, key, length)) return (int)i;
        if (is_name(field->wire, field->wire_length, key, length)) return (int)i;
    }
    return -1;
}

const char *cly_nearest_field(const cly_shape *shape, const char *name, size_t length) {
    const char *nearest = NULL;
    size_t limit = length / 3 < 3 ? length / 3 + 1 : 4; /* best distance so far, exclusive */
    if (length > 1) limit++;
    for (size_t i = 0; i < shape->count; i++) {
        const cly_field *field = &shape->fields[i];
        size_t ours = cly_text_distance(name, length, field->name, field->name_length);
        size_t wire = cly_text_distance(name, length, field->wire, field->wire_length);
        size_t distance = ours < wire ? ours : wire;
        if (distance >= limit) continue;
        limit = distance;
        nearest = field->name;
    }
    return nearest;
}

static void list_names(const cly_shape *shape, char *out, size_t room) {
    size_t used = 0;
    for (size_t i = 0; i < shape->count && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", shape->fields[i].name);
}

static void report_unknown(cly_reader *reader, const cly_shape *shape, const cly_path *path,
                           const cly_entry *entry) {
    cly_path at = cly_path_text(path, entry->key, entry->length);
    const char *nearest = cly_nearest_field(shape, entry->key, entry->length);
    char names[240];
    if (nearest) {
        cly_problem_add(reader->problems, &at, "unknown field; did you mean `%s`?", nearest);
    } else {
        list_names(shape, names, sizeof names);
        cly_problem_add(reader->problems, &at, "unknown field; known are %s", names);
    }
}

static void report_index(cly_reader *reader, const cly_path *path, const cly_entry *entry) {
    double index = entry->index;
    cly_path at = cly_path_index(path, index >= 0 && index < 1e9 ? (size_t)index : 0);
    cly_problem_add(reader->problems, &at, "field name expected, got a list item or other key");
}

static void report_twice(cly_reader *reader, const cly_field *field, const cly_path *path) {
    cly_path at = cly_path_text(path, field->name, field->name_length);
    cly_problem_add(reader->problems, &at, "given twice, as `%s` and as `%s`", field->name, field->wire);
}

static void place(cly_reader *reader, cly_slots *slots, size_t at, const cly_entry *entry,
                  const cly_path *path) {
    if (cly_reader_is_absent(reader, entry->value)) return;
    if (slots->given[at]) {
        report_twice(reader, &slots->shape->fields[at], path);
        return;
    }
    slots->given[at] = true;
    slots->values[at] = entry->value;
}

static void take(cly_reader *reader, cly_slots *slots, const cly_entry *entry, const cly_path *path) {
    int at = entry->is_text ? find(slots->shape, entry->key, entry->length) : -1;
    if (at >= 0)
        place(reader, slots, (size_t)at, entry, path);
    else if (entry->is_text)
        report_unknown(reader, slots->shape, path, entry);
    else
        report_index(reader, path, entry);
}

/* Reads fields that a metatable supplies, as in setmetatable(message, {__index = defaults}). */
static void collect_defaults(cly_reader *reader, cly_value table, cly_slots *slots) {
    for (size_t i = 0; i < slots->shape->count; i++) {
        const cly_field *field = &slots->shape->fields[i];
        cly_value value;
        if (slots->given[i]) continue;
        value = cly_reader_source_field(reader, table, field->name);
        if (cly_reader_is_absent(reader, value)) value = cly_reader_source_field(reader, table, field->wire);
        slots->given[i] = !cly_reader_is_absent(reader, value);
        slots->values[i] = value;
    }
}

enum { ENTRY_MAX = 200 };

/* Returns true if the table has too many entries. */
static bool take_all(cly_reader *reader, cly_slots *slots, const cly_entries *entries, size_t seen,
                     const cly_path *path) {
    for (size_t i = 0; i < entries->count; i++) {
        take(reader, slots, &entries->items[i], path);
        if (seen + i < ENTRY_MAX) continue;
        cly_problem_add(reader->problems, path, "more than %d fields", ENTRY_MAX);
        return true;
    }
    return false;
}

void cly_collect(cly_reader *reader, const cly_shape *shape, cly_value table, const cly_path *path,
                 cly_slots *slots) {
    size_t first_problem = reader->problems->count, seen = 0;
    cly_entries entries;
    entries.has_begun = entries.is_over = false;
    memset(slots->given, 0, sizeof slots->given);
    slots->shape = shape;
    while (!entries.is_over) {
        cly_reader_next(reader, table, &entries);
        if (take_all(reader, slots, &entries, seen, path)) break;
        seen += entries.count;
    }
    cly_problems_sort_from(reader->problems, first_problem);
    if (cly_reader_has_defaults(reader, table)) collect_defaults(reader, table, slots);
}

int cly_count_given(const cly_slots *slots, size_t first, size_t last, size_t *at) {
    int count = 0;
    for (size_t i = first; i <= last; i++) {
        if (!slots->given[i]) continue;
        *at = i;
        count++;
    }
    return count;
}

/* Returns the first index without a value. */
static size_t first_hole(cly_reader *reader, cly_value table, size_t last) {
    const cly_source *source = reader->source;
    for (size_t i = 1; i < last; i++) {
        int mark = source->mark(source->host);
        bool is_hole = cly_reader_source_item(reader, table, i).type == CLY_TYPE_NIL;
        source->release(source->host, mark);
        if (is_hole) return i;
    }
    return last;
}

static bool check_items(cly_reader *reader, cly_value table, const cly_path *path, cly_list_shape list) {
    if (list.has_others) {
        cly_problem_add(reader->problems, path, "list expected, got a table with other keys");
        return false;
    }
    if (list.count != list.last && !list.is_computed) {
        cly_path hole = cly_path_index(path, first_hole(reader, table, list.last));
        cly_problem_add(reader->problems, &hole, "missing: a list has no holes");
        return false;
    }
    return true;
}

/* Returns the number of items, or reports a problem and returns -1. */
static int count_items(cly_reader *reader, cly_value value, const cly_path *path, int low, int high) {
    cly_list_shape list = cly_reader_source_list(reader, value);
    if (!check_items(reader, value, path, list)) return -1;
    if (list.count > (size_t)high)
        cly_problem_add(reader->problems, path, "at most %d item%s, got %zu", high, high == 1 ? "" : "s",
                        list.count);
    else if (list.count < (size_t)low)
        cly_problem_add(reader->problems, path, "at least %d item%s", low, low == 1 ? "" : "s");
    else
        return (int)list.count;
    return -1;
}

bool cly_reader_at_hand(cly_reader *reader, cly_value table, cly_list *list) {
    list->table = table;
    list->at_hand = cly_reader_source_items(reader, table, list->items, CLY_AT_HAND);
    list->count = list->at_hand;
    return list->at_hand >= 0;
}

int cly_reader_list(cly_reader *reader, cly_value value, const cly_path *path, int low, int high,
                    cly_list *list) {
    list->count = -1;
    if (!cly_reader_table(reader, value, path)) return -1;
    if (cly_reader_at_hand(reader, value, list) && list->count >= low && list->count <= high)
        return list->count;
    list->at_hand = 0;
    list->count = count_items(reader, value, path, low, high);
    return list->count;
}
