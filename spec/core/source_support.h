/*
 * source_support.h - jansson values as a cly_source (core/base/source.h), so that
 * fixtures can be encoded from C.
 *
 * An object is a table with names, an array one with the indices 1, 2, ...; a
 * test that needs what JSON lacks (a NaN, a function) replaces one of the
 * source's functions.
 */
#ifndef CLY_SPEC_CORE_SOURCE_SUPPORT_H
#define CLY_SPEC_CORE_SOURCE_SUPPORT_H

#include "core/base/source.h"
#include <jansson.h>

/* What a reader holds just now, and the most it ever held. */
typedef struct source_host {
    int held, most_held;
} source_host;

/* `host` is borrowed as long as the source is used. */
cly_source source_make(source_host *host);

/* Borrows the value; NULL is nil. */
cly_value source_value(const json_t *value);

/* The JSON text as a value, strings with zero bytes allowed; fails the test
 * when it is none. Yours to json_decref. */
json_t *source_parse(const char *text);

#endif
