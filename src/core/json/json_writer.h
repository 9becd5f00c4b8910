/*
 * json_writer.h - a streaming JSON writer into a reusable buffer.
 *
 * The writer places the commas; the caller opens and closes objects and writes keys and values in
 * order. Strings are validated as UTF-8 while they are written (RFC 3629: no surrogates, no overlong
 * forms), and only the characters that RFC 8259 requires are escaped.
 */
#ifndef CLY_CORE_JSON_JSON_WRITER_H
#define CLY_CORE_JSON_JSON_WRITER_H

#include "core/base/buffer.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

typedef struct cly_json_writer {
    cly_buffer *out; /* borrowed */
    bool comma;      /* a comma precedes the next value or key */
} cly_json_writer;

/* Writes bytes that begin a value or a key, after a comma if one is due. */
static inline void cly_json_piece(cly_json_writer *json, const char *bytes, size_t length) {
    char *place = cly_buffer_reserve(json->out, length + json->comma);
    if (place == NULL) return;
    if (json->comma) *place++ = ',';
    memcpy(place, bytes, length);
    json->out->length += length + json->comma;
}

static inline void cly_json_open(cly_json_writer *json, char bracket) {
    cly_json_piece(json, &bracket, 1);
    json->comma = false;
}

static inline void cly_json_close(cly_json_writer *json, char bracket) {
    cly_buffer_byte(json->out, bracket);
    json->comma = true;
}

/* `name` is one of the library's own: plain ASCII that needs no escaping. */
void cly_json_name(cly_json_writer *json, const char *name, size_t length);

static inline void cly_json_key(cly_json_writer *json, const char *key) {
    cly_json_name(json, key, strlen(key));
}

/* Returns false if the bytes are not UTF-8; the output is then invalid. */
bool cly_json_text(cly_json_writer *json, const char *text, size_t length);

/* The same for a key. */
static inline bool cly_json_text_key(cly_json_writer *json, const char *text, size_t length) {
    bool is_valid = cly_json_text(json, text, length);
    cly_buffer_byte(json->out, ':');
    json->comma = false;
    return is_valid;
}

/* Writes a text of the library's own, or one already checked: plain ASCII that needs no escaping. */
void cly_json_ascii(cly_json_writer *json, const char *text, size_t length);

static inline void cly_json_plain(cly_json_writer *json, const char *text) {
    cly_json_ascii(json, text, strlen(text));
}

/* Writes a finite number without loss, with a point as decimal mark in every locale. */
void cly_json_number(cly_json_writer *json, cly_number number);
void cly_json_boolean(cly_json_writer *json, bool value);

/* Writes bytes that are already JSON. */
void cly_json_raw(cly_json_writer *json, const char *bytes, size_t length);

enum { CLY_NUMBER_SIZE = 40 };

/* Formats a number for a text field: 98765, not 98765.0; fractions with at most 14 significant digits,
 * like Lua's tostring. Returns the length. */
size_t cly_number_as_text(char out[CLY_NUMBER_SIZE], cly_number number);

CLY_PRIVATE_END

#endif
