/*
 * json.h - a JSON validator that finds selected members without building a tree.
 *
 * A reply is read in place. One strict pass (RFC 8259, and RFC 3629 for its bytes) checks that the text
 * is JSON and records where the wanted members of the outermost object begin and end. No tree is built
 * and nothing is allocated, so a lack of memory cannot change whether a message counts as accepted.
 * Numbers stay text: no digit of a trace id is lost.
 *
 *   cly_json_member members[] = {{.name = "id"}, {.name = "message"}};
 *   if (cly_json_read(members, 2, body, length) && members[0].value.type == CLY_JSON_STRING)
 *       cly_json_unescape(&buffer, &members[0].value);
 *
 * Why not jansson: when memory runs out inside a token, version 2.14 aborts the process by an
 * assertion, or silently drops a byte of a string, which would report a wrong message id as a success.
 *
 * Limits: at most CLY_JSON_DEPTH_MAX nested brackets; no lone surrogates in escapes; no byte order
 * mark. A wanted name that occurs twice makes the text invalid, because it is ambiguous which one is
 * meant. Other names are not checked for duplicates.
 */
#ifndef CLY_CORE_JSON_JSON_H
#define CLY_CORE_JSON_JSON_H

#include "core/base/buffer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

enum { CLY_JSON_DEPTH_MAX = 64 };

typedef enum cly_json_type {
    CLY_JSON_ABSENT,
    CLY_JSON_NULL,
    CLY_JSON_FALSE,
    CLY_JSON_TRUE,
    CLY_JSON_NUMBER,
    CLY_JSON_STRING,
    CLY_JSON_ARRAY,
    CLY_JSON_OBJECT
} cly_json_type;

/* A slice of the text as it was received, a string with its quotes; borrowed. */
typedef struct cly_json_value {
    cly_json_type type;
    const char *start;
    size_t length;
} cly_json_value;

typedef struct cly_json_member {
    const char *name; /* plain ASCII; the text may write it with escapes */
    cly_json_value value;
} cly_json_member;

/* Returns true if the text is JSON; any value is allowed at the top level. Each member receives its
 * value or CLY_JSON_ABSENT. All are absent if the text is not JSON. */
bool cly_json_read(cly_json_member members[], size_t count, const char *text, size_t length);

bool cly_json_is_valid(const char *text, size_t length);

/* Iterates over an array of a text that cly_json_read accepted. `item` starts as ABSENT; each call
 * advances it to the next item and returns false after the last. cly_json_read can read an item as a
 * text of its own. */
bool cly_json_next_item(const cly_json_value *array, cly_json_value *item);

/* Appends the unescaped contents of a string from a text that cly_json_read accepted. They may contain
 * zero bytes. Grows the buffer at most once. */
void cly_json_unescape(cly_buffer *out, const cly_json_value *string);

/* Copies the unescaped contents of such a string, zero-terminated. Returns false if they are not ASCII,
 * contain a zero byte, or are not shorter than `room`. */
bool cly_json_short_text(char *out, size_t room, const cly_json_value *string);

/* Copies such a text, but writes each integer that a double cannot hold exactly (beyond 2^53) as a
 * string, so that a decoder that uses doubles loses no digit of an id. Returns the number of bytes
 * written, or, if `out` is NULL, the number needed. */
size_t cly_json_quote_long(char *out, const char *text, size_t length);

/* Copies such a text without the spaces and newlines between its tokens. Returns the number of bytes
 * written, at most `length`; `out` has that much room. */
size_t cly_json_compact(char *out, const char *text, size_t length);

/* Returns the value of the four hexadecimal digits of a \u escape, or -1. `left` is the number of
 * readable bytes. */
int32_t cly_json_unit(const char *digits, size_t left);

/* Returns the character of a surrogate pair, or -1 if the two are not a pair. */
int32_t cly_json_pair(int32_t high, int32_t low);

CLY_PRIVATE_END

#endif
