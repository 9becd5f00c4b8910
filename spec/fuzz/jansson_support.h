/*
 * jansson_support.h - what another parser, long in use, reads in the same text.
 */
#ifndef CLY_SPEC_FUZZ_JANSSON_SUPPORT_H
#define CLY_SPEC_FUZZ_JANSSON_SUPPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The text as jansson reads it, or NULL; the caller's. `*may_differ` becomes true
 * where core/json/json.h is meant to see it otherwise: brackets in more than 64, a
 * number beyond a double, a zero byte in a name, or one that is not escaped. */
json_t *jansson_read(const char *text, size_t length, size_t flags, bool *may_differ);

#endif
