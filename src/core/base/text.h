/*
 * text.h - small questions about bytes.
 */
#ifndef CLY_CORE_BASE_TEXT_H
#define CLY_CORE_BASE_TEXT_H

#include "core/base/buffer.h"

CLY_PRIVATE_BEGIN

/* Bytes of the well-formed UTF-8 sequence of two or more that begins at `at`, or
 * 0. RFC 3629 section 4: no long forms, no surrogates. `left` is at least 1. */
size_t cly_utf8_sequence(const unsigned char *at, size_t left);

bool cly_is_utf8(const char *text, size_t length);

/* `^\+[1-9]\d{1,14}$`. API: validation facts, E.164. */
bool cly_is_e164(const char *text, size_t length);

/* `^[A-Z]{2}\.[A-Za-z0-9]{1,128}$`. API: business-scoped user ids. */
bool cly_is_bsuid(const char *text, size_t length);

/* `^[a-z]{2,3}(_[A-Z]{2})?$`. API: validation facts, language codes. */
bool cly_is_language(const char *text, size_t length);

/* W3C Trace Context: version, trace, parent and flags in lower-case hex. */
bool cly_is_traceparent(const char *text, size_t length);

/* http:// or https://, something behind it, no blanks and no control bytes. */
bool cly_is_url(const char *text, size_t length);

/* Bytes below 0x20, and 0x7f. */
bool cly_has_control(const char *text, size_t length);

/* Case of ASCII letters does not count. */
bool cly_starts_with(const char *text, size_t length, const char *prefix);

/* Copies for an error: at most `room` - 1 bytes, control bytes as ?, and as # what
 * may be a telephone number: seven digits or more in a row, or nine or more that
 * are spelt apart, as in (415) 555-0123. */
void cly_text_show(char *out, size_t room, const char *text, size_t length);

/* The same in place for a code or an identifier, which may have digits of its own:
 * as # a plus' eight digits or more, together or apart, and `bare` or more in a
 * row without one; 0: none. */
void cly_text_hide_numbers(char *text, size_t bare);

/* How many single-letter edits, swaps of neighbours included, part the two;
 * a large number when either is longer than 48. */
size_t cly_text_distance(const char *a, size_t a_length, const char *b, size_t b_length);

/* RFC 3986: all but unreserved characters become %XX. */
void cly_percent_encode(cly_buffer *out, const char *text, size_t length);

/* Milliseconds since 1970 from a ULID's first ten characters, or -1 when the
 * text is not a ULID. API: validation facts, ULID. */
double cly_ulid_time_ms(const char *text, size_t length);

/* A copy to be freed, or NULL without memory. */
char *cly_text_copy(const char *text);

CLY_PRIVATE_END

#endif
