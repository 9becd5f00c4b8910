#include "spec/fuzz/shape_support.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

enum { SLOTS_MAX = 256, NAME_MAX_LENGTH = 64 };

/* Where a value stands. All is borrowed from the tree. */
typedef struct slot {
    json_t *parent, *value;
    const char *name; /* NULL: `index` counts */
    size_t index;
} slot;

static size_t collect(slot slots[SLOTS_MAX], size_t count, json_t *parent) {
    const char *name;
    size_t index;
    json_t *value;
    json_object_foreach(parent, name, value) {
        if (count < SLOTS_MAX) slots[count++] = (slot){parent, value, name, 0};
        count = collect(slots, count, value);
    }
    json_array_foreach(parent, index, value) {
        if (count < SLOTS_MAX) slots[count++] = (slot){parent, value, NULL, index};
        count = collect(slots, count, value);
    }
    return count;
}

static void put(const slot *at, json_t *value) {
    if (at->name)
        json_object_set_new(at->parent, at->name, value);
    else
        json_array_set_new(at->parent, at->index, value);
}

static json_t *any_value(uint32_t seed) {
    static const char *const texts[] = {
        "null", "true",  "false", "0",  "-7", "1.5",  "9007199254740993",
        "\"\"", "\"x\"", "\"1\"", "{}", "[]", "[{}]", "{\"id\":{},\"text\":[]}"};
    return json_loads(texts[seed % (sizeof texts / sizeof texts[0])], JSON_DECODE_ANY, NULL);
}

/* userId becomes user_id, and the reverse. */
static void respell(char out[NAME_MAX_LENGTH], const char *name) {
    size_t used = 0;
    for (; *name && used + 2 < NAME_MAX_LENGTH; name++) {
        int next = (unsigned char)name[1];
        if (isupper((unsigned char)*name)) {
            out[used++] = '_';
            out[used++] = (char)tolower((unsigned char)*name);
        } else if (*name == '_' && islower(next)) {
            out[used++] = (char)toupper(next);
            name++;
        } else {
            out[used++] = *name;
        }
    }
    out[used] = '\0';
}

/* The value stays where it was, too, or does not. */
static void rename_slot(const slot *at, const char *other, uint32_t seed) {
    char name[NAME_MAX_LENGTH];
    json_t *value = json_deep_copy(at->value);
    if (at->name == NULL || seed % 4 == 0)
        snprintf(name, sizeof name, "%s", other);
    else
        respell(name, at->name);
    if (at->name && seed % 2 == 0) json_object_del(at->parent, at->name);
    if (json_is_object(at->parent))
        json_object_set_new(at->parent, name, value);
    else
        json_decref(value);
}

static void change(const slot *at, const slot *other, uint32_t seed) {
    switch (seed % 4) {
    case 0: put(at, any_value(seed / 4)); break;
    case 1: put(at, json_deep_copy(other->value)); break;
    case 2: rename_slot(at, other->name ? other->name : "id", seed / 4); break;
    default:
        if (at->name)
            json_object_del(at->parent, at->name);
        else
            json_array_append_new(at->parent, json_deep_copy(other->value));
    }
}

size_t shape_change(char *text, size_t length, size_t room, uint32_t seed) {
    json_t *root = length ? json_loadb(text, length, JSON_ALLOW_NUL, NULL) : NULL;
    slot slots[SLOTS_MAX];
    size_t count = root ? collect(slots, 0, root) : 0, written = 0;
    if (count > 0) {
        change(&slots[seed % count], &slots[seed / 512 % count], seed / 7);
        written = json_dumpb(root, text, room, JSON_COMPACT);
    }
    json_decref(root);
    return written <= room ? written : 0;
}
