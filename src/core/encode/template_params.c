#include "core/encode/template_params.h"

#include "core/base/text.h"
#include "core/encode/field_encoders.h"
#include <stdio.h>

typedef struct param_kind {
    const char *pattern;
    size_t start; /* length of the text before the first # */
    unsigned first, last;
    cly_field_type type;
    unsigned group, part;
} param_kind;

static const param_kind kinds[CLY_PARAM_COUNT] = {
#define CLY_PARAM(constant, start, rest, first, last, type, group, part) \
    {start rest, sizeof start - 1, first, last, CLY_FIELD_##type, group, part},
#include "core/api/params.def"
#undef CLY_PARAM
};

/* Sorts after all known names. */
static const uint64_t raw_rank = (uint64_t)4 << 56;

static uint64_t rank_of(const cly_param_name *name) {
    const param_kind *kind = &kinds[name->param];
    return (uint64_t)kind->group << 56 | (uint64_t)name->numbers[0] << 32 | (uint64_t)kind->part << 24 |
           name->numbers[1];
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads a number of up to three digits without leading zeros; returns its length or 0. */
static size_t read_index(const char *text, size_t length, unsigned *number) {
    size_t at = 0;
    *number = 0;
    while (at < length && at < 3 && is_digit(text[at])) *number = *number * 10 + (unsigned)(text[at++] - '0');
    return at > 1 && text[0] == '0' ? 0 : at;
}

static bool matches(const char *pattern, const char *name, size_t length, unsigned numbers[2]) {
    size_t at = 0, count = 0;
    numbers[0] = numbers[1] = 0;
    for (; *pattern; pattern++) {
        if (*pattern == '#') {
            size_t digits = read_index(name + at, length - at, &numbers[count++]);
            if (digits == 0) return false;
            at += digits;
        } else {
            if (at == length || name[at] != *pattern) return false;
            at++;
        }
    }
    return at == length;
}

/* Compares the start first, which tells most names apart, then calls `matches`. */
static bool is_kind(const param_kind *kind, const char *name, size_t length, unsigned numbers[2]) {
    size_t start = kind->start;
    return length >= start && kind->pattern[0] == name[0] && memcmp(kind->pattern, name, start) == 0 &&
           matches(kind->pattern + start, name + start, length - start, numbers);
}

bool cly_param_parse(cly_param_name *out, const char *name, size_t length) {
    for (int i = 0; i < CLY_PARAM_COUNT; i++) {
        if (!is_kind(&kinds[i], name, length, out->numbers)) continue;
        out->param = (cly_param)i;
        return out->numbers[0] >= kinds[i].first && out->numbers[0] <= kinds[i].last;
    }
    return false;
}

size_t cly_param_format(char out[CLY_PARAM_NAME_SIZE], const cly_param_name *name) {
    char *start = out;
    size_t number = 0;
    for (const char *pattern = kinds[name->param].pattern; *pattern; pattern++) {
        unsigned value;
        if (*pattern != '#') {
            *out++ = *pattern;
            continue;
        }
        value = name->numbers[number++] % 1000;
        if (value >= 100) *out++ = (char)('0' + value / 100);
        if (value >= 10) *out++ = (char)('0' + value / 10 % 10);
        *out++ = (char)('0' + value % 10);
    }
    *out = '\0';
    return (size_t)(out - start);
}

static cly_param_slice *slices_of(const cly_param_list *list, size_t *count) {
    *count = list->slices->length / sizeof(cly_param_slice);
    return (cly_param_slice *)(void *)list->slices->data;
}

void cly_template_params_open(cly_reader *reader, cly_param_list *list) {
    cly_buffer_reset(list->slices);
    cly_json_key(&reader->json, "parameters");
    cly_json_open(&reader->json, '[');
}

/* A parameter to be written as one object. */
typedef struct param {
    const char *name;
    size_t length;
    const cly_value *value, *filename; /* the latter or NULL */
    uint64_t rank;
    cly_field_type type;
    bool is_wire;
} param;

static const char before_name[] = "{\"name\":\"", before_value[] = "\",\"value\":";
enum { BEFORE_NAME = sizeof before_name - 1, BEFORE_VALUE = sizeof before_value - 1 };

/* Writes everything before the value with one reserve: a known name is plain ASCII. */
static void open_known(cly_json_writer *json, const char *name, size_t length) {
    char *place = cly_buffer_reserve(json->out, BEFORE_NAME + length + BEFORE_VALUE);
    if (place == NULL) return;
    memcpy(place, before_name, BEFORE_NAME);
    memcpy(place + BEFORE_NAME, name, length);
    memcpy(place + BEFORE_NAME + length, before_value, BEFORE_VALUE);
    json->out->length += BEFORE_NAME + length + BEFORE_VALUE;
}

/* The same for a name that may contain any text; returns its length as written. */
static size_t open_raw(cly_reader *reader, const char *name, size_t length, const cly_path *path) {
    cly_json_writer *json = &reader->json;
    size_t start;
    cly_json_open(json, '{');
    cly_json_key(json, "name");
    start = json->out->length;
    if (!cly_json_text(json, name, length))
        cly_problem_add(reader->problems, path, "the name is not valid UTF-8");
    length = json->out->length - start - 2;
    cly_json_key(json, "value");
    return length;
}

/* Writes the slice in place, because a copy from the stack would stall on the stores just made. */
static void remember(cly_param_list *list, uint64_t rank, bool is_wire, size_t start, size_t length,
                     size_t name_length) {
    cly_param_slice *slice = (void *)cly_buffer_reserve(list->slices, sizeof *slice);
    if (slice == NULL) return;
    slice->rank = rank;
    slice->start = start;
    slice->length = length;
    slice->name_length = name_length;
    slice->is_wire = is_wire;
    list->slices->length += sizeof *slice;
}

/* `path` is the path of the value given with it. */
static void write_filename(cly_reader *reader, const cly_value *filename, const cly_path *path) {
    cly_path at = cly_path_name(path->parent, "filename");
    cly_json_key(&reader->json, "filename");
    cly_write_text(reader, filename, &at, CLY_FIELD_TEXT, 0);
}

/* Writes one object and records it as a slice, without the comma. */
static void add(cly_reader *reader, cly_param_list *list, const param *given, const cly_path *path) {
    cly_json_writer *json = &reader->json;
    size_t start, name_length = given->length;
    if (list->slices->length > 0) cly_buffer_byte(json->out, ',');
    json->comma = false;
    start = json->out->length;
    if (given->rank == raw_rank)
        name_length = open_raw(reader, given->name, given->length, path);
    else
        open_known(json, given->name, given->length);
    cly_write_text(reader, given->value, path, given->type, CLY_MAY_BE_EMPTY);
    if (given->filename) write_filename(reader, given->filename, path);
    cly_json_close(json, '}');
    if (cly_reader_is_over(reader)) return; /* `start` is an offset in another message */
    remember(list, given->rank, given->is_wire, start, json->out->length - start, name_length);
}

void cly_template_params_add(cly_reader *reader, cly_param_list *list, const cly_param_name *name,
                             const cly_value *value, const cly_value *filename, const cly_path *path) {
    char text[CLY_PARAM_NAME_SIZE];
    param given = {text, 0, value, filename, rank_of(name), kinds[name->param].type, false};
    given.length = cly_param_format(text, name);
    add(reader, list, &given, path);
}

/* Finds the known name most similar to this one, with this one's numbers filled in. */
static bool nearest_param(const char *name, size_t length, char out[CLY_PARAM_NAME_SIZE]) {
    size_t limit = length / 3 < 4 ? length / 3 + 1 : 5;
    bool found = false;
    for (int i = 0; i < CLY_PARAM_COUNT; i++) {
        cly_param_name candidate = {(cly_param)i, {kinds[i].first, kinds[i].first}};
        char text[CLY_PARAM_NAME_SIZE];
        size_t distance, number = 0, at = 0;
        while (at < length && number < 2) {
            size_t digits = read_index(name + at, length - at, &candidate.numbers[number]);
            if (digits == 0) candidate.numbers[number] = kinds[i].first;
            number += digits > 0;
            at += digits > 0 ? digits : 1;
        }
        cly_param_format(text, &candidate);
        distance = cly_text_distance(name, length, text, strlen(text));
        if (distance == 0 || distance >= limit || !cly_param_parse(&candidate, text, strlen(text))) continue;
        limit = distance;
        found = true;
        memcpy(out, text, sizeof text);
    }
    return found;
}

static void report_unknown(cly_reader *reader, const char *name, size_t length, const cly_path *path) {
    char nearest[CLY_PARAM_NAME_SIZE];
    cly_param_name parsed;
    for (int i = 0; i < CLY_PARAM_COUNT; i++) {
        if (!matches(kinds[i].pattern, name, length, parsed.numbers)) continue;
        cly_problem_add(reader->problems, path,
                        "from %u to %u only (raw = true beside the value sends it all the same)",
                        kinds[i].first, kinds[i].last);
        return;
    }
    if (nearest_param(name, length, nearest))
        cly_problem_add(
            reader->problems, path,
            "unknown parameter; did you mean `%s`? (raw = true beside the value sends it all the same)",
            nearest);
    else
        cly_problem_add(reader->problems, path,
                        "unknown parameter (raw = true beside the value sends it all the same)");
}

static const cly_value *if_given(const cly_slots *slots, size_t at) {
    return slots->given[at] ? &slots->values[at] : NULL;
}

/* Reads `raw`; true allows an unknown name. */
static bool read_raw(cly_reader *reader, const cly_value *raw, const cly_path *path) {
    cly_path at = cly_path_name(path, "raw");
    if (raw == NULL) return false;
    if (raw->type == CLY_TYPE_BOOLEAN) return reader->source->boolean(reader->source->host, *raw);
    cly_reader_expected(reader, &at, "boolean", *raw);
    return false;
}

/* Returns true if the name is in params.def. */
static bool recognize(param *given) {
    cly_param_name parsed;
    if (!cly_param_parse(&parsed, given->name, given->length)) return false;
    given->rank = rank_of(&parsed);
    given->type = kinds[parsed.param].type;
    return true;
}

/* Adds a value by its wire name; `filename` and `raw` are NULL if not given. */
static void add_named(cly_reader *reader, cly_param_list *list, const char *name, size_t length,
                      const cly_value *value, const cly_value *filename, const cly_value *raw,
                      const cly_path *path) {
    param given = {name, length, value, filename, raw_rank, CLY_FIELD_TEXT, true};
    cly_path value_path = cly_path_name(path, "value");
    bool is_raw = read_raw(reader, raw, path);
    if (!recognize(&given) && !is_raw) report_unknown(reader, name, length, path);
    add(reader, list, &given, &value_path);
}

static void add_slots(cly_reader *reader, cly_param_list *list, const char *name, size_t length,
                      const cly_slots *slots, const cly_path *path) {
    add_named(reader, list, name, length, &slots->values[CLY_AT(parameter, value)],
              if_given(slots, CLY_AT(parameter, filename)), if_given(slots, CLY_AT(parameter, raw)), path);
}

static void add_table(cly_reader *reader, cly_param_list *list, const cly_entry *entry,
                      const cly_path *path) {
    cly_path name_path = cly_path_name(path, "name"), value_path = cly_path_name(path, "value");
    int mark = reader->source->mark(reader->source->host);
    cly_slots slots;
    cly_collect(reader, &cly_shape_parameter, entry->value, path, &slots);
    if (slots.given[CLY_AT(parameter, name)])
        cly_problem_add(reader->problems, &name_path, "the key is the name already");
    if (slots.given[CLY_AT(parameter, value)])
        add_slots(reader, list, entry->key, entry->length, &slots, path);
    else
        cly_problem_add(reader->problems, &value_path, "missing");
    reader->source->release(reader->source->host, mark);
}

static void add_entry(cly_reader *reader, cly_param_list *list, const cly_entry *entry,
                      const cly_path *path) {
    param given = {entry->key, entry->length, &entry->value, NULL, raw_rank, CLY_FIELD_TEXT, true};
    cly_path at = cly_path_text(path, entry->key, entry->length);
    if (entry->value.type == CLY_TYPE_TABLE) {
        add_table(reader, list, entry, &at);
        return;
    }
    if (cly_reader_is_absent(reader, entry->value)) return;
    if (!recognize(&given)) report_unknown(reader, entry->key, entry->length, &at);
    add(reader, list, &given, &at);
}

/* Returns true if there are too many entries. */
static bool add_entries(cly_reader *reader, cly_param_list *list, const cly_entries *entries, size_t seen,
                        const cly_path *path) {
    for (size_t i = 0; i < entries->count; i++) {
        if (seen + i == CLY_LIST_MAX) {
            cly_problem_add(reader->problems, path, "more than %d parameters", CLY_LIST_MAX);
            return true;
        }
        add_entry(reader, list, &entries->items[i], path);
    }
    return false;
}

static void add_map(cly_reader *reader, cly_param_list *list, cly_value map, const cly_path *path) {
    const cly_source *source = reader->source;
    size_t first_problem = reader->problems->count, seen = 0;
    cly_entries entries;
    entries.has_begun = entries.is_over = false;
    while (!entries.is_over) {
        cly_reader_next(reader, map, &entries);
        if (add_entries(reader, list, &entries, seen, path)) break;
        source->drop(source->host, &entries);
        seen += entries.count;
    }
    cly_problems_sort_from(reader->problems, first_problem);
}

static inline bool is_key(const cly_entry *entry, const char *key, size_t length) {
    return entry->length == length && memcmp(entry->key, key, length) == 0;
}

/* Fast path: nearly all items consist of exactly name and value and need no slots. */
static bool read_pair(cly_reader *reader, const cly_value *item, cly_entries *pair, const cly_value **name,
                      const cly_value **value) {
    int first;
    pair->has_begun = pair->is_over = false;
    cly_reader_next(reader, *item, pair);
    if (pair->count != 2) return false;
    first = is_key(&pair->items[0], "name", 4) ? 0 : 1;
    if (!is_key(&pair->items[first], "name", 4) || !is_key(&pair->items[!first], "value", 5)) return false;
    *name = &pair->items[first].value;
    *value = &pair->items[!first].value;
    return (*name)->type == CLY_TYPE_TEXT && !cly_reader_is_absent(reader, **value) &&
           !cly_reader_has_defaults(reader, *item);
}

static void add_collected(cly_reader *reader, cly_param_list *list, cly_value item, const cly_path *path) {
    cly_path name_path = cly_path_name(path, "name"), value_path = cly_path_name(path, "value");
    char digits[CLY_NUMBER_SIZE];
    const char *name;
    size_t length;
    cly_slots slots;
    cly_collect(reader, &cly_shape_parameter, item, path, &slots);
    if (!slots.given[CLY_AT(parameter, name)]) cly_problem_add(reader->problems, &name_path, "missing");
    if (!slots.given[CLY_AT(parameter, value)]) cly_problem_add(reader->problems, &value_path, "missing");
    if (!slots.given[CLY_AT(parameter, name)] || !slots.given[CLY_AT(parameter, value)]) return;
    if (cly_read_text(reader, slots.values[CLY_AT(parameter, name)], &name_path, digits, &name, &length))
        add_slots(reader, list, name, length, &slots, path);
}

static void add_item(cly_reader *reader, cly_param_list *list, const cly_value *item, const cly_path *path) {
    cly_entries pair;
    const cly_value *name, *value;
    if (!cly_reader_table(reader, *item, path)) return;
    if (read_pair(reader, item, &pair, &name, &value))
        add_named(reader, list, name->text, name->length, value, NULL, NULL, path);
    else
        add_collected(reader, list, *item, path);
}

enum { LET_GO_EVERY = 8 };

/* Items are released a few at a time: for the host, one release costs the same for one item as for
 * several. */
static void add_items(cly_reader *reader, cly_param_list *list, cly_list *items, const cly_path *path) {
    const cly_source *source = reader->source;
    int mark = source->mark(source->host);
    for (int i = 1; i <= items->count; i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        add_item(reader, list, cly_reader_item(reader, items, i), &at);
        if (i % LET_GO_EVERY == 0 || i == items->count) source->release(source->host, mark);
    }
}

/* Adds the parameters of a table that is neither a short list nor empty. */
static void add_any(cly_reader *reader, cly_param_list *list, cly_value value, const cly_path *path) {
    cly_list_shape shape = cly_reader_source_list(reader, value);
    cly_list items;
    if (shape.count > 0 && shape.has_others)
        cly_problem_add(reader->problems, path, "either a list or a map by name expected, got both");
    else if (shape.count > 0 && cly_reader_list(reader, value, path, 0, CLY_LIST_MAX, &items) > 0)
        add_items(reader, list, &items, path);
    else if (shape.count == 0 && cly_reader_has_defaults(reader, value))
        cly_problem_add(reader->problems, path,
                        "plain table expected: a metatable's fields cannot be listed");
    else if (shape.count == 0)
        add_map(reader, list, value, path);
}

void cly_template_params_add_wire(cly_reader *reader, cly_param_list *list, cly_value value,
                                  const cly_path *path) {
    cly_list items;
    if (!cly_reader_table(reader, value, path)) return;
    if (cly_reader_at_hand(reader, value, &items))
        add_items(reader, list, &items, path);
    else
        add_any(reader, list, value, path);
}

static bool is_before(const cly_buffer *out, const cly_param_slice *a, const cly_param_slice *b) {
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order;
    if (a->rank != b->rank) return a->rank < b->rank;
    if (a->rank != raw_rank) return false;
    order =
        memcmp(out->data + a->start + CLY_PARAM_NAME_AT, out->data + b->start + CLY_PARAM_NAME_AT, shorter);
    return order < 0 || (order == 0 && a->name_length < b->name_length);
}

/* Insertion sort: stable, and fast for a few items that are nearly in order. Returns true if one moved. */
static bool sort(const cly_buffer *out, cly_param_slice *slices, size_t count) {
    bool has_moved = false;
    for (size_t i = 1; i < count; i++) {
        cly_param_slice moving;
        size_t at = i;
        if (!is_before(out, &slices[i], &slices[i - 1])) continue;
        moving = slices[i];
        while (at > 0 && is_before(out, &moving, &slices[at - 1])) {
            slices[at] = slices[at - 1];
            at--;
        }
        slices[at] = moving;
        has_moved = true;
    }
    return has_moved;
}

static void rewrite(cly_buffer *out, cly_buffer *scratch, const cly_param_slice *slices, size_t count) {
    size_t start = slices[0].start;
    for (size_t i = 1; i < count; i++)
        if (slices[i].start < start) start = slices[i].start;
    cly_buffer_reset(scratch);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) cly_buffer_byte(scratch, ',');
        cly_buffer_append(scratch, out->data + slices[i].start, slices[i].length);
    }
    out->length = start;
    cly_buffer_append(out, scratch->data, scratch->length);
    if (scratch->state != CLY_BUFFER_FINE) out->state = scratch->state;
}

/* Two values for one parameter: it is ambiguous which of them the customer would see. */
static void report_twice(cly_reader *reader, const cly_param_slice *slices, size_t count) {
    cly_path path = cly_path_name(NULL, "parameters");
    for (size_t i = 1; i < count; i++) {
        cly_path at;
        if (slices[i].rank != slices[i - 1].rank || slices[i].is_wire == slices[i - 1].is_wire) continue;
        at = cly_path_text(&path, reader->json.out->data + slices[i].start + CLY_PARAM_NAME_AT,
                           slices[i].name_length);
        cly_problem_add(reader->problems, &at, "given twice: in header, body, buttons or cards as well");
    }
}

void cly_template_params_close(cly_reader *reader, cly_param_list *list) {
    cly_buffer *out = reader->json.out;
    size_t count;
    cly_param_slice *slices = slices_of(list, &count);
    if (list->slices->state != CLY_BUFFER_FINE && out->state == CLY_BUFFER_FINE)
        out->state = list->slices->state;
    if (out->state == CLY_BUFFER_FINE && count > 0) {
        bool has_moved = sort(out, slices, count);
        report_twice(reader, slices, count); /* the slices are offsets into the unsorted output */
        if (has_moved) rewrite(out, list->scratch, slices, count);
    }
    cly_json_close(&reader->json, ']');
}
