/*
 * source.h - a user's table, seen from C.
 *
 * core/message walks a message through these few functions, so that every rule
 * about names, paths and bounds is in core and a message costs no tree of
 * values. The binding implements them on the Lua stack, the C tests on jansson
 * values. They are coarse, a table's entries at once with what is known of each
 * value, since for a host the way to a value is what costs.
 *
 * A host may leave by longjmp from any of them (Lua raises errors so). Core
 * therefore holds nothing of its own across a call: all that it fills belongs
 * to the encoder, which the client owns.
 */
#ifndef CLY_CORE_BASE_SOURCE_H
#define CLY_CORE_BASE_SOURCE_H

#include "core/base/buffer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef enum cly_type {
    CLY_TYPE_NIL,
    CLY_TYPE_NULL, /* JSON's null, as cjson.null */
    CLY_TYPE_BOOLEAN,
    CLY_TYPE_NUMBER,
    CLY_TYPE_TEXT,
    CLY_TYPE_TABLE,
    CLY_TYPE_OTHER
} cly_type;

/* One value: its type, the host's handle, and of a text the bytes. */
typedef struct cly_value {
    cly_type type;
    union {
        int index; /* on a stack */
        const void *pointer;
    };
    const char *text; /* borrowed as long as the value is held */
    size_t length;
} cly_value;

static inline const char *cly_value_text(cly_value value, size_t *length) {
    *length = value.length;
    return value.text;
}

typedef struct cly_number {
    bool is_integer;
    int64_t integer;
    double real; /* set in any case */
} cly_number;

typedef struct cly_entry {
    bool is_text;    /* the key is a string: key and length are set */
    const char *key; /* borrowed as long as the value is held */
    size_t length;
    double index; /* the key where it is a number */
    cly_value value;
} cly_entry;

enum { CLY_ENTRIES_MAX = 16 };

/* A stretch of a table's entries, and the place behind it. */
typedef struct cly_entries {
    bool has_begun;    /* false before the first stretch */
    bool is_over;      /* nothing follows */
    const void *state; /* the host's own, as is `mark` */
    int mark;
    size_t count;
    cly_entry items[CLY_ENTRIES_MAX];
} cly_entries;

/* What a table looks like as a list. */
typedef struct cly_list_shape {
    size_t count;     /* items with a whole index from 1 on */
    size_t last;      /* the largest such index */
    bool has_others;  /* there are keys of another kind */
    bool is_computed; /* made by a metatable: count is right, holes cannot be */
} cly_list_shape;

typedef struct cly_source {
    void *host;
    /* The host's word for the type, as "function"; static. */
    const char *(*type_name)(void *host, cly_value value);
    bool (*boolean)(void *host, cly_value value);
    cly_number (*number)(void *host, cly_value value);

    /* Reads the next stretch of a table's own entries, in no promised order, and
     * holds the values until `release` or, for those of the last stretch, `drop`. */
    void (*next)(void *host, cly_value table, cly_entries *entries);
    void (*drop)(void *host, cly_entries *entries);
    /* Whether fields can come from elsewhere (a metatable's __index). */
    bool (*has_defaults)(void *host, cly_value table);
    /* A field by name, defaults included; the value is held. */
    cly_value (*field)(void *host, cly_value table, const char *name);
    /* The items of a plain list of at most `room`, held, and how many; or -1 when
     * the table is more or anything else, as `list` then tells. */
    int (*items)(void *host, cly_value table, cly_value *items, int room);
    cly_list_shape (*list)(void *host, cly_value table);
    cly_value (*item)(void *host, cly_value table, size_t index); /* from 1; held */

    /* What is held since `mark` is let go by `release`. */
    int (*mark)(void *host);
    void (*release)(void *host, int mark);

    /* Appends the value as JSON by the host's own encoder, so that its marks
     * for null and arrays mean what the user expects. NULL, or why it cannot
     * (borrowed until release). */
    const char *(*json)(void *host, cly_value value, cly_buffer *out);
} cly_source;

CLY_PRIVATE_END

#endif
