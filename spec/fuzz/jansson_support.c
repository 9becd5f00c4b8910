#include "spec/fuzz/jansson_support.h"

#include "core/json/json.h"
#include <string.h>

static size_t deeper(size_t depth, const json_t *item);

static size_t depth_of(const json_t *value) {
    size_t depth = 0, index;
    const char *name;
    json_t *item;
    json_array_foreach(value, index, item) depth = deeper(depth, item);
    json_object_foreach((json_t *)(uintptr_t)value, name, item) depth = deeper(depth, item);
    return json_is_array(value) || json_is_object(value) ? depth + 1 : 0;
}

static size_t deeper(size_t depth, const json_t *item) {
    size_t other = depth_of(item);
    return other > depth ? other : depth;
}

json_t *jansson_read(const char *text, size_t length, size_t flags, bool *may_differ) {
    json_error_t error = {0};
    json_t *root =
        json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | flags, &error);
    enum json_error_code code = root ? json_error_unknown : json_error_code(&error);
    *may_differ = code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
                  memchr(text, '\0', length) || depth_of(root) > CLY_JSON_DEPTH_MAX;
    return root;
}
