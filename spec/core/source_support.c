#include "spec/core/source_support.h"

#include "spec/core/test.h"
#include <string.h>

static const json_t *json_of(cly_value value) {
    return value.pointer;
}

static cly_value hold(void *host, const json_t *value) {
    source_host *self = host;
    if (++self->held > self->most_held) self->most_held = self->held;
    return source_value(value);
}

/* Lua's words, so that the fixtures say one thing on both sides. */
static const char *source_type_name(void *host, cly_value value) {
    (void)host;
    switch (value.type) {
    case CLY_TYPE_NIL: return "nil";
    case CLY_TYPE_NULL: return "null";
    case CLY_TYPE_BOOLEAN: return "boolean";
    case CLY_TYPE_NUMBER: return "number";
    case CLY_TYPE_TEXT: return "string";
    case CLY_TYPE_TABLE: return "table";
    default: return "function";
    }
}

static bool source_boolean(void *host, cly_value value) {
    (void)host;
    return json_is_true(json_of(value));
}

static cly_number source_number(void *host, cly_value value) {
    cly_number number = {false, 0, 0};
    (void)host;
    number.real = json_number_value(json_of(value));
    number.is_integer = json_is_integer(json_of(value));
    number.integer = json_integer_value(json_of(value));
    return number;
}

/* jansson's iteration takes the object without const, and changes nothing. */
static json_t *unlocked(const json_t *json) {
    union {
        const json_t *locked;
        json_t *unlocked;
    } both;
    both.locked = json;
    return both.unlocked;
}

static cly_entry *begin_entry(cly_entries *entries) {
    cly_entry *entry = &entries->items[entries->count++];
    memset(entry, 0, sizeof *entry);
    return entry;
}

/* `mark` counts the items that were read. */
static void next_items(source_host *host, const json_t *array, cly_entries *entries) {
    if (!entries->has_begun) entries->mark = 0;
    while (entries->count < CLY_ENTRIES_MAX && (size_t)entries->mark < json_array_size(array)) {
        cly_entry *entry = begin_entry(entries);
        entry->value = hold(host, json_array_get(array, (size_t)entries->mark));
        entry->index = ++entries->mark;
    }
}

/* `state` is the field to come. */
static void next_fields(source_host *host, const json_t *object, cly_entries *entries) {
    json_t *json = unlocked(object);
    void *step = entries->has_begun ? unlocked(entries->state) : json_object_iter(json);
    for (; step && entries->count < CLY_ENTRIES_MAX; step = json_object_iter_next(json, step)) {
        cly_entry *entry = begin_entry(entries);
        entry->is_text = true;
        entry->key = json_object_iter_key(step);
        entry->length = json_object_iter_key_len(step);
        entry->value = hold(host, json_object_iter_value(step));
    }
    entries->state = step;
}

static void source_next(void *host, cly_value table, cly_entries *entries) {
    const json_t *json = json_of(table);
    entries->count = 0;
    if (json_is_array(json))
        next_items(host, json, entries);
    else
        next_fields(host, json, entries);
    entries->has_begun = true;
    entries->is_over = entries->count < CLY_ENTRIES_MAX;
}

static void source_drop(void *host, cly_entries *entries) {
    ((source_host *)host)->held -= (int)entries->count;
}

static bool source_has_defaults(void *host, cly_value table) {
    (void)host, (void)table;
    return false;
}

static cly_value source_field(void *host, cly_value table, const char *name) {
    return hold(host, json_object_get(json_of(table), name));
}

static int source_items(void *host, cly_value table, cly_value *items, int room) {
    size_t count = json_array_size(json_of(table));
    if (count > (size_t)room || json_object_size(json_of(table)) > 0) return -1;
    for (size_t i = 0; i < count; i++) items[i] = hold(host, json_array_get(json_of(table), i));
    return (int)count;
}

static cly_list_shape source_list(void *host, cly_value table) {
    cly_list_shape list = {0, 0, false, false};
    (void)host;
    list.count = list.last = json_array_size(json_of(table));
    list.has_others = json_object_size(json_of(table)) > 0;
    return list;
}

static cly_value source_item(void *host, cly_value table, size_t index) {
    return hold(host, json_array_get(json_of(table), index - 1));
}

static int source_mark(void *host) {
    return ((source_host *)host)->held;
}

static void source_release(void *host, int mark) {
    ((source_host *)host)->held = mark;
}

static int append(const char *bytes, size_t count, void *out) {
    cly_buffer_append(out, bytes, count);
    return 0;
}

/* A fixture can always be written: where it cannot, memory is out. */
static const char *source_json(void *host, cly_value value, cly_buffer *out) {
    (void)host;
    if (json_dump_callback(json_of(value), append, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        out->state = CLY_BUFFER_NO_MEMORY;
    return NULL;
}

cly_source source_make(source_host *host) {
    cly_source source = {host,        source_type_name,    source_boolean, source_number, source_next,
                         source_drop, source_has_defaults, source_field,   source_items,  source_list,
                         source_item, source_mark,         source_release, source_json};
    memset(host, 0, sizeof *host);
    return source;
}

static cly_type type_of(const json_t *json) {
    if (json == NULL) return CLY_TYPE_NIL;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY: return CLY_TYPE_TABLE;
    case JSON_STRING: return CLY_TYPE_TEXT;
    case JSON_INTEGER:
    case JSON_REAL: return CLY_TYPE_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE: return CLY_TYPE_BOOLEAN;
    default: return CLY_TYPE_NULL;
    }
}

cly_value source_value(const json_t *value) {
    cly_value made = {type_of(value), {0}, json_string_value(value), json_string_length(value)};
    made.pointer = value;
    return made;
}

json_t *source_parse(const char *text) {
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (json == NULL) fail_msg("%s: %s", error.text, text);
    return json;
}
