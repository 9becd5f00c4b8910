/*
 * json.h - JSON in: is a text valid, and where are the members we want.
 *
 * A reply is read where it lies. One strict pass (RFC 8259, and RFC 3629 for its
 * bytes) says whether the text is JSON and notes where the wanted members of the
 * outermost object begin and end. No tree is built and nothing is allocated, so
 * memory has no say in whether a message was accepted. Numbers stay text: no
 * digit of a trace id is lost.
 *
 *   cly_json_member members[] = {{.name = "id"}, {.name = "message"}};
 *   if (cly_json_read(members, 2, body, length) && members[0].value.type == CLY_JSON_STRING)
 *       cly_json_unescape(&buffer, &members[0].value);
 *
 * The road not taken: jansson. When memory runs out inside a token, its 2.14
 * ends the process by an assertion, or drops a byte of a string and says nothing,
 * which is a wrong message id reported as a success.
 *
 * The limits: at most CLY_JSON_DEPTH_MAX brackets in each other; no half of a
 * surrogate pair in an escape; no byte order mark. A wanted name that stands
 * twice makes the text invalid, since nobody can say which of the two is meant;
 * other names are not compared with each other.
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

/* A piece of the text, as it stands there, a string with its quotes; borrowed. */
typedef struct cly_json_value {
    cly_json_type type;
    const char *start;
    size_t length;
} cly_json_value;

typedef struct cly_json_member {
    const char *name; /* plain ASCII; the text may spell it with escapes */
    cly_json_value value;
} cly_json_member;

/* True when the text is JSON; any value may stand at the top. Each member gets
 * its value, or CLY_JSON_ABSENT; all are absent when the text is no JSON. */
bool cly_json_read(cly_json_member members[], size_t count, const char *text, size_t length);

bool cly_json_is_valid(const char *text, size_t length);

/* Steps through an array of a text that was read: `item`, which is ABSENT to begin
 * with, becomes the next, until there is none. An item is a text of its own for
 * cly_json_read. */
bool cly_json_next_item(const cly_json_value *array, cly_json_value *item);

/* Appends what a string of a text that was read says; zero bytes are possible.
 * Grows the buffer once at the most. */
void cly_json_unescape(cly_buffer *out, const cly_json_value *string);

/* Copies what a string of a text that was read says, zero-terminated, if it is of
 * ASCII without a zero byte and shorter than `room`; else false. */
bool cly_json_short_text(char *out, size_t room, const cly_json_value *string);

/* Copies a text that was read, with each whole number that a double cannot hold
 * (beyond 2^53) as a string: so a decoder of doubles loses no digit of an id.
 * Returns the bytes it takes; with NULL for `out` it only counts. */
size_t cly_json_quote_long(char *out, const char *text, size_t length);

/* What the four hexadecimal digits of a \u escape say, or -1. `left` counts the
 * readable bytes. */
int32_t cly_json_unit(const char *digits, size_t left);

/* The character of a surrogate pair, or -1 when the two are none. */
int32_t cly_json_pair(int32_t high, int32_t low);

CLY_PRIVATE_END

#endif
