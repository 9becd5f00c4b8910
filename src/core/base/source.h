/*
 * source.h - access to a user's table from C.
 *
 * core/encode reads a message through these few functions, so that core holds all rules about names,
 * paths and limits, and no tree of values is built per message. The binding implements them on the Lua
 * stack, the C tests on jansson values. The functions are coarse, for example many entries of a table
 * at once with the type of each value, because each access to a value is expensive for the host.
 *
 * Any of them may leave by longjmp (Lua raises errors that way). Core therefore owns no resources of
 * its own across a call: everything it fills belongs to the encoder, which the client owns.
 */
#ifndef CLY_CORE_BASE_SOURCE_H
#define CLY_CORE_BASE_SOURCE_H

#include "core/base/buffer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef enum cly_type {
    CLY_TYPE_NIL,
    CLY_TYPE_NULL, /* JSON null, such as cjson.null */
    CLY_TYPE_BOOLEAN,
    CLY_TYPE_NUMBER,
    CLY_TYPE_TEXT,
    CLY_TYPE_TABLE,
    CLY_TYPE_OTHER
} cly_type;

/* One value: its type, the host's handle and, for a text, the bytes. */
typedef struct cly_value {
    cly_type type;
    union {
        int index; /* stack index */
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
    double real; /* always set */
} cly_number;

typedef struct cly_entry {
    bool is_text;    /* the key is a string: key and length are set */
    const char *key; /* borrowed as long as the value is held */
    size_t length;
    double index; /* the key, if it is a number */
    cly_value value;
} cly_entry;

enum { CLY_ENTRIES_MAX = 16 };

/* A chunk of a table's entries and the position after it. */
typedef struct cly_entries {
    bool has_begun;    /* false before the first chunk */
    bool is_over;      /* this is the last chunk */
    const void *state; /* private to the host, as is `mark` */
    int mark;
    size_t count;
    cly_entry items[CLY_ENTRIES_MAX];
} cly_entries;

/* The shape of a table viewed as a list. */
typedef struct cly_list_shape {
    size_t count;     /* items with an integer index from 1 on */
    size_t last;      /* the largest such index */
    bool has_others;  /* there are other keys */
    bool is_computed; /* produced by a metatable: count is correct, and there are no holes */
} cly_list_shape;

typedef struct cly_source {
    void *host;
    /* The host's name for the type, such as "function"; static. */
    const char *(*type_name)(void *host, cly_value value);
    bool (*boolean)(void *host, cly_value value);
    cly_number (*number)(void *host, cly_value value);

    /* Reads the next chunk of a table's own entries, in no particular order. The values stay held until
     * `release`, or until `drop` for those of the last chunk. */
    void (*next)(void *host, cly_value table, cly_entries *entries);
    void (*drop)(void *host, cly_entries *entries);
    /* Whether a field may come from a metatable's __index. */
    bool (*has_defaults)(void *host, cly_value table);
    /* Returns a field by name, including fields from __index; the value is held. */
    cly_value (*field)(void *host, cly_value table, const char *name);
    /* Stores the items of a plain list of at most `room` items, held, and returns their number. Returns
     * -1 for a longer list or any other table; `list` then describes it. */
    int (*items)(void *host, cly_value table, cly_value *items, int room);
    cly_list_shape (*list)(void *host, cly_value table);
    cly_value (*item)(void *host, cly_value table, size_t index); /* from 1; held */

    /* `release` drops all values held since the corresponding `mark`. */
    int (*mark)(void *host);
    void (*release)(void *host, int mark);

    /* Appends the value as JSON, encoded by the host's own encoder, so that its markers for null and
     * arrays keep their meaning. Returns NULL, or the reason for a failure (borrowed until release). */
    const char *(*json)(void *host, cly_value value, cly_buffer *out);
} cly_source;

CLY_PRIVATE_END

#endif
