#include "core/json.h"

#include "core/buffer.h"

enum { LOAD_FLAGS = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, DIGITS_OF_64_BITS = 18 };

/* Length of the string literal that begins at `at`, quotes included. */
static size_t skip_string(const char *text, size_t length, size_t at) {
    size_t end = at + 1;
    while (end < length && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    return (end < length ? end + 1 : length) - at;
}

bool cly_json_is_shallow(const char *text, size_t length) {
    size_t depth = 0;
    for (size_t at = 0; at < length;) {
        switch (text[at]) {
        case '"': at += skip_string(text, length, at); continue;
        case '[':
        case '{':
            if (++depth > CLY_JSON_DEPTH_MAX) return false;
            break;
        case ']':
        case '}': depth -= depth > 0; break;
        default: break;
        }
        at++;
    }
    return true;
}

static bool is_number_part(char c) {
    return c && strchr("0123456789+-.eE", c) != NULL;
}

/* Copies a number, in quotes when it is a whole one of too many digits. */
static size_t copy_number(cly_buffer *out, const char *text, size_t length) {
    size_t count = 0;
    bool is_whole = true, is_long;
    while (count < length && is_number_part(text[count])) {
        if (count > 0 && !(text[count] >= '0' && text[count] <= '9')) is_whole = false;
        count++;
    }
    is_long = is_whole && count > DIGITS_OF_64_BITS && text[text[0] == '-'] != '0';
    if (is_long) cly_buffer_byte(out, '"');
    cly_buffer_append(out, text, count);
    if (is_long) cly_buffer_byte(out, '"');
    return count;
}

static void quote_long_numbers(cly_buffer *out, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t count = 1;
        if (text[at] == '"') {
            count = skip_string(text, length, at);
            cly_buffer_append(out, text + at, count);
        } else if (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')) {
            count = copy_number(out, text + at, length - at);
        } else {
            cly_buffer_byte(out, text[at]);
        }
        at += count;
    }
}

static json_t *load_with_long_numbers(const char *text, size_t length) {
    cly_buffer quoted;
    json_error_t error;
    json_t *root = NULL;
    cly_buffer_init(&quoted, 2 * length + 16);
    quote_long_numbers(&quoted, text, length);
    if (quoted.state == CLY_BUFFER_FINE) root = json_loadb(quoted.data, quoted.length, LOAD_FLAGS, &error);
    cly_buffer_clear(&quoted);
    return root;
}

json_t *cly_json_load(const char *text, size_t length) {
    json_error_t error = {0}; /* without memory jansson sets no code */
    json_t *root;
    if (length == 0 || !cly_json_is_shallow(text, length)) return NULL;
    root = json_loadb(text, length, LOAD_FLAGS, &error);
    if (root == NULL && json_error_code(&error) == json_error_numeric_overflow)
        root = load_with_long_numbers(text, length);
    return root;
}
