/*
 * json.h - JSON in, by jansson, within limits.
 *
 * A reply comes from outside: its size is bounded by whoever gathered it, its
 * depth is bounded here, before a recursive parser sees it, and a key that
 * stands twice makes it invalid.
 */
#ifndef CLY_CORE_JSON_H
#define CLY_CORE_JSON_H

#include "core/visibility.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

enum { CLY_JSON_DEPTH_MAX = 64 };

/* Yours to json_decref, or NULL when the text is no JSON, too deep, or memory
 * is out. Any value may stand at the top. Whole numbers beyond 64 bits become
 * strings, so that no digit of a trace id is lost. */
json_t *cly_json_load(const char *text, size_t length);

/* False when brackets nest deeper than CLY_JSON_DEPTH_MAX. */
bool cly_json_is_shallow(const char *text, size_t length);

CLY_PRIVATE_END

#endif
