/*
 * source.h - a user's table, seen from C.
 *
 * core/message walks a message through these few functions, so that every rule
 * about names, paths and bounds is in core and a message costs no tree of
 * values. The binding implements them on the Lua stack, the C tests on jansson
 * values.
 *
 * A host may leave by longjmp from any of them (Lua raises errors so). Core
 * therefore holds nothing of its own across a call: all that it fills belongs
 * to the encoder, which the client owns.
 */
#ifndef CLY_CORE_SOURCE_H
#define CLY_CORE_SOURCE_H

#include "core/buffer.h"
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

/* A host's handle to one value: a stack index, or a pointer. */
typedef union cly_value {
    int index;
    const void *pointer;
} cly_value;

typedef struct cly_number {
    bool is_integer;
    int64_t integer;
    double real; /* set in any case */
} cly_number;

typedef struct cly_entry {
    bool started;      /* false before the first step */
    const void *state; /* the host's own */
    bool is_text;      /* the key is a string: key and length are set */
    const char *key;   /* borrowed until the next step */
    size_t length;
    cly_number index; /* the key where it is a number */
    cly_value value;
} cly_entry;

/* What a table looks like as a list. */
typedef struct cly_list_shape {
    size_t count;     /* items with a whole index from 1 on */
    size_t last;      /* the largest such index */
    bool has_others;  /* there are keys of another kind */
    bool is_computed; /* made by a metatable: count is right, holes cannot be */
} cly_list_shape;

typedef struct cly_source {
    void *host;
    cly_type (*type)(void *host, cly_value value);
    /* The host's word for the type, as "function"; static. */
    const char *(*type_name)(void *host, cly_value value);
    bool (*boolean)(void *host, cly_value value);
    cly_number (*number)(void *host, cly_value value);
    /* Borrowed as long as the value is held. */
    const char *(*text)(void *host, cly_value value, size_t *length);

    /* Steps through a table's own entries in no promised order and holds each
     * value, until `release` or, for the value of the last step, `drop`. */
    bool (*next)(void *host, cly_value table, cly_entry *entry);
    void (*drop)(void *host, cly_entry *entry);
    /* Whether fields can come from elsewhere (a metatable's __index). */
    bool (*has_defaults)(void *host, cly_value table);
    /* A field by name, defaults included; the value is held. */
    cly_value (*field)(void *host, cly_value table, const char *name);
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
