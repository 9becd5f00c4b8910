/*
 * json_writer.h - JSON out, streaming, into a buffer that is used again.
 *
 * The writer puts the commas; the caller keeps objects and keys in order.
 * Strings are checked as UTF-8 on the way (RFC 3629: no surrogates, no long
 * forms), and only what RFC 8259 demands is escaped.
 */
#ifndef CLY_CORE_JSON_JSON_WRITER_H
#define CLY_CORE_JSON_JSON_WRITER_H

#include "core/base/buffer.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

typedef struct cly_json_writer {
    cly_buffer *out; /* borrowed */
    bool comma;      /* a comma is due before the next value or key */
} cly_json_writer;

/* A piece that begins a value or a key: the comma that is due, then the bytes. */
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

/* `name` is one of our own: plain ASCII that needs no escaping. */
void cly_json_name(cly_json_writer *json, const char *name, size_t length);

static inline void cly_json_key(cly_json_writer *json, const char *key) {
    cly_json_name(json, key, strlen(key));
}

/* False when the bytes are not UTF-8; what was written is then of no use. */
bool cly_json_text(cly_json_writer *json, const char *text, size_t length);

/* The same for a key. */
static inline bool cly_json_text_key(cly_json_writer *json, const char *text, size_t length) {
    bool is_valid = cly_json_text(json, text, length);
    cly_buffer_byte(json->out, ':');
    json->comma = false;
    return is_valid;
}

/* One of our own texts, or one that was checked: plain ASCII, nothing to escape. */
void cly_json_ascii(cly_json_writer *json, const char *text, size_t length);

static inline void cly_json_plain(cly_json_writer *json, const char *text) {
    cly_json_ascii(json, text, strlen(text));
}

/* A finite number, exactly, with a point as decimal mark in every locale. */
void cly_json_number(cly_json_writer *json, cly_number number);
void cly_json_boolean(cly_json_writer *json, bool value);

/* Bytes that are JSON already. */
void cly_json_raw(cly_json_writer *json, const char *bytes, size_t length);

enum { CLY_NUMBER_SIZE = 40 };

/* A number as people write it, for a text: 98765, never 98765.0; 14 digits at
 * the most behind a point, as Lua's own tostring. Returns its length. */
size_t cly_number_as_text(char out[CLY_NUMBER_SIZE], cly_number number);

CLY_PRIVATE_END

#endif
