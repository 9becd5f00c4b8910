#include "core/params.h"

#include "core/text.h"
#include "core/values.h"
#include <stdio.h>

typedef struct param_kind {
    const char *pattern;
    unsigned first, last;
    cly_field_type type;
    unsigned group, part;
} param_kind;

static const param_kind kinds[CLY_PARAM_COUNT] = {
#define CLY_PARAM(constant, name, first, last, type, group, part) \
    {name, first, last, CLY_FIELD_##type, group, part},
#include "core/params.def"
#undef CLY_PARAM
};

/* Behind all known ones. */
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

bool cly_param_parse(cly_param_name *out, const char *name, size_t length) {
    for (int i = 0; i < CLY_PARAM_COUNT; i++) {
        if (!matches(kinds[i].pattern, name, length, out->numbers)) continue;
        out->param = (cly_param)i;
        return out->numbers[0] >= kinds[i].first && out->numbers[0] <= kinds[i].last;
    }
    return false;
}

void cly_param_format(char out[CLY_PARAM_NAME_SIZE], const cly_param_name *name) {
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
}

static cly_param_slice *slices_of(const cly_param_list *list, size_t *count) {
    *count = list->slices->length / sizeof(cly_param_slice);
    return (cly_param_slice *)(void *)list->slices->data;
}

void cly_params_open(cly_walk *walk, cly_param_list *list) {
    cly_buffer_reset(list->slices);
    cly_json_key(&walk->json, "parameters");
    cly_json_open(&walk->json, '[');
}

/* One object, remembered as a slice. The slice holds no comma. */
static void add(cly_walk *walk, cly_param_list *list, const char *name, size_t name_length,
                cly_param_slice slice, cly_field_type type, cly_value value, const cly_value *filename,
                const cly_path *path, const cly_path *filename_path) {
    cly_json_writer *json = &walk->json;
    if (list->slices->length > 0) cly_buffer_byte(json->out, ',');
    json->comma = false;
    slice.start = json->out->length;
    cly_json_open(json, '{');
    cly_json_key(json, "name");
    slice.name_length = json->out->length;
    if (!cly_json_text(json, name, name_length))
        cly_problem_add(walk->problems, path, "the name is not valid UTF-8");
    slice.name_length = json->out->length - slice.name_length - 2;
    cly_json_key(json, "value");
    cly_write_text(walk, value, path, type, CLY_MAY_BE_EMPTY);
    if (filename) {
        cly_json_key(json, "filename");
        cly_write_text(walk, *filename, filename_path, CLY_FIELD_TEXT, 0);
    }
    cly_json_close(json, '}');
    slice.length = json->out->length - slice.start;
    cly_buffer_append(list->slices, &slice, sizeof slice);
}

void cly_params_add(cly_walk *walk, cly_param_list *list, const cly_param_name *name, cly_value value,
                    const cly_value *filename, const cly_path *path) {
    char text[CLY_PARAM_NAME_SIZE];
    cly_param_slice slice = {rank_of(name), 0, 0, 0, false};
    cly_path filename_path = cly_path_name(path->parent, "filename");
    cly_param_format(text, name);
    add(walk, list, text, strlen(text), slice, kinds[name->param].type, value, filename, path,
        &filename_path);
}

/* The known name most like this one, its own numbers put in. */
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

static void report_unknown(cly_walk *walk, const char *name, size_t length, const cly_path *path) {
    char nearest[CLY_PARAM_NAME_SIZE];
    cly_param_name parsed;
    for (int i = 0; i < CLY_PARAM_COUNT; i++) {
        if (!matches(kinds[i].pattern, name, length, parsed.numbers)) continue;
        cly_problem_add(walk->problems, path,
                        "from %u to %u only (raw = true beside the value sends it all the same)",
                        kinds[i].first, kinds[i].last);
        return;
    }
    if (nearest_param(name, length, nearest))
        cly_problem_add(
            walk->problems, path,
            "unknown parameter; did you mean `%s`? (raw = true beside the value sends it all the same)",
            nearest);
    else
        cly_problem_add(walk->problems, path,
                        "unknown parameter (raw = true beside the value sends it all the same)");
}

/* A value by wire name, alone or as { value =, filename =, raw = } in `slots`. */
static void add_named(cly_walk *walk, cly_param_list *list, const char *name, size_t length,
                      const cly_slots *slots, const cly_path *path) {
    cly_param_slice slice = {raw_rank, 0, 0, 0, true};
    cly_path value_path = cly_path_name(path, "value"), filename_path = cly_path_name(path, "filename");
    cly_path raw_path = cly_path_name(path, "raw");
    bool has_filename = slots->given[CLY_AT(parameter, filename)];
    bool has_raw = slots->given[CLY_AT(parameter, raw)];
    cly_value raw = slots->values[CLY_AT(parameter, raw)];
    cly_field_type type = CLY_FIELD_TEXT;
    cly_param_name parsed;
    bool is_raw = false;
    if (has_raw && cly_walk_type(walk, raw) != CLY_TYPE_BOOLEAN)
        cly_walk_expected(walk, &raw_path, "boolean", raw);
    else
        is_raw = has_raw && walk->source->boolean(walk->source->host, raw);
    if (cly_param_parse(&parsed, name, length)) {
        slice.rank = rank_of(&parsed);
        type = kinds[parsed.param].type;
    } else if (!is_raw) {
        report_unknown(walk, name, length, path);
    }
    add(walk, list, name, length, slice, type, slots->values[CLY_AT(parameter, value)],
        has_filename ? &slots->values[CLY_AT(parameter, filename)] : NULL, &value_path, &filename_path);
}

static void add_table(cly_walk *walk, cly_param_list *list, const cly_entry *entry, const cly_path *path) {
    cly_path name_path = cly_path_name(path, "name"), value_path = cly_path_name(path, "value");
    int mark = walk->source->mark(walk->source->host);
    cly_slots slots;
    cly_collect(walk, &cly_shape_parameter, entry->value, path, &slots);
    if (slots.given[CLY_AT(parameter, name)])
        cly_problem_add(walk->problems, &name_path, "the key is the name already");
    if (slots.given[CLY_AT(parameter, value)])
        add_named(walk, list, entry->key, entry->length, &slots, path);
    else
        cly_problem_add(walk->problems, &value_path, "missing");
    walk->source->release(walk->source->host, mark);
}

static void add_entry(cly_walk *walk, cly_param_list *list, const cly_entry *entry, const cly_path *path) {
    cly_path at = cly_path_text(path, entry->key, entry->length);
    cly_param_slice slice = {raw_rank, 0, 0, 0, true};
    cly_field_type type = CLY_FIELD_TEXT;
    cly_param_name parsed;
    if (cly_walk_type(walk, entry->value) == CLY_TYPE_TABLE) {
        add_table(walk, list, entry, &at);
        return;
    }
    if (cly_walk_is_absent(walk, entry->value)) return;
    if (cly_param_parse(&parsed, entry->key, entry->length)) {
        slice.rank = rank_of(&parsed);
        type = kinds[parsed.param].type;
    } else {
        report_unknown(walk, entry->key, entry->length, &at);
    }
    add(walk, list, entry->key, entry->length, slice, type, entry->value, NULL, &at, &at);
}

static void add_map(cly_walk *walk, cly_param_list *list, cly_value map, const cly_path *path) {
    const cly_source *source = walk->source;
    size_t first_problem = walk->problems->count;
    cly_entry entry = {0};
    for (int seen = 0; source->next(source->host, map, &entry); seen++) {
        if (seen == CLY_LIST_MAX) {
            cly_problem_add(walk->problems, path, "more than %d parameters", CLY_LIST_MAX);
            break;
        }
        add_entry(walk, list, &entry, path);
        source->drop(source->host, &entry);
    }
    cly_problems_sort_from(walk->problems, first_problem);
}

static void add_item(cly_walk *walk, cly_param_list *list, cly_value item, const cly_path *path) {
    cly_path name_path = cly_path_name(path, "name"), value_path = cly_path_name(path, "value");
    char digits[CLY_NUMBER_SIZE];
    const char *name;
    size_t length;
    cly_slots slots;
    if (!cly_walk_table(walk, item, path)) return;
    cly_collect(walk, &cly_shape_parameter, item, path, &slots);
    if (!slots.given[CLY_AT(parameter, name)]) cly_problem_add(walk->problems, &name_path, "missing");
    if (!slots.given[CLY_AT(parameter, value)]) cly_problem_add(walk->problems, &value_path, "missing");
    if (!slots.given[CLY_AT(parameter, name)] || !slots.given[CLY_AT(parameter, value)]) return;
    if (cly_read_text(walk, slots.values[CLY_AT(parameter, name)], &name_path, digits, &name, &length))
        add_named(walk, list, name, length, &slots, path);
}

static void add_items(cly_walk *walk, cly_param_list *list, cly_value items, const cly_path *path) {
    const cly_source *source = walk->source;
    int count = cly_walk_list(walk, items, path, 0, CLY_LIST_MAX);
    for (int i = 1; i <= count; i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        add_item(walk, list, source->item(source->host, items, (size_t)i), &at);
        source->release(source->host, mark);
    }
}

void cly_params_add_wire(cly_walk *walk, cly_param_list *list, cly_value value, const cly_path *path) {
    const cly_source *source = walk->source;
    cly_list_shape shape;
    if (!cly_walk_table(walk, value, path)) return;
    shape = source->list(source->host, value);
    if (shape.count > 0 && shape.has_others)
        cly_problem_add(walk->problems, path, "either a list or a map by name expected, got both");
    else if (shape.count > 0)
        add_items(walk, list, value, path);
    else if (source->has_defaults(source->host, value))
        cly_problem_add(walk->problems, path, "plain table expected: a metatable's fields cannot be listed");
    else
        add_map(walk, list, value, path);
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

/* Insertion: stable, and the usual few are nearly in order. True if one moved. */
static bool sort(const cly_buffer *out, cly_param_slice *slices, size_t count) {
    bool has_moved = false;
    for (size_t i = 1; i < count; i++) {
        cly_param_slice moving = slices[i];
        size_t at = i;
        while (at > 0 && is_before(out, &moving, &slices[at - 1])) {
            slices[at] = slices[at - 1];
            at--;
        }
        slices[at] = moving;
        has_moved = has_moved || at != i;
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

/* One parameter, two values: which one the customer would see is anybody's guess. */
static void report_twice(cly_walk *walk, const cly_param_slice *slices, size_t count) {
    cly_path path = cly_path_name(NULL, "parameters");
    for (size_t i = 1; i < count; i++) {
        cly_path at;
        if (slices[i].rank != slices[i - 1].rank || slices[i].is_wire == slices[i - 1].is_wire) continue;
        at = cly_path_text(&path, walk->json.out->data + slices[i].start + CLY_PARAM_NAME_AT,
                           slices[i].name_length);
        cly_problem_add(walk->problems, &at, "given twice: in header, body, buttons or cards as well");
    }
}

void cly_params_close(cly_walk *walk, cly_param_list *list) {
    cly_buffer *out = walk->json.out;
    size_t count;
    cly_param_slice *slices = slices_of(list, &count);
    if (list->slices->state != CLY_BUFFER_FINE && out->state == CLY_BUFFER_FINE)
        out->state = list->slices->state;
    if (out->state == CLY_BUFFER_FINE && count > 0) {
        bool has_moved = sort(out, slices, count);
        report_twice(walk, slices, count); /* the slices are places in what is not yet rewritten */
        if (has_moved) rewrite(out, list->scratch, slices, count);
    }
    cly_json_close(&walk->json, ']');
}
