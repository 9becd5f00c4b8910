/*
 * text.h - small functions on bytes and texts.
 */
#ifndef CLY_CORE_BASE_TEXT_H
#define CLY_CORE_BASE_TEXT_H

#include "core/base/buffer.h"

CLY_PRIVATE_BEGIN

/* Returns the length of the well-formed UTF-8 sequence of two or more bytes at `at`, or 0. RFC 3629
 * section 4: no overlong forms, no surrogates. `left` is at least 1. */
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

/* http:// or https:// followed by at least one byte, without blanks and control bytes. */
bool cly_is_url(const char *text, size_t length);

/* True if the text contains a byte below 0x20, or 0x7f. */
bool cly_has_control(const char *text, size_t length);

/* Ignores the case of ASCII letters. */
bool cly_starts_with(const char *text, size_t length, const char *prefix);

/* Copies text for an error message: at most `room` - 1 bytes, with control bytes as ?. Digits that may
 * be a telephone number become #: seven or more in a row, or nine or more with separators, as in (415)
 * 555-0123. */
void cly_text_show(char *out, size_t room, const char *text, size_t length);

/* The same in place, for a code or an identifier, which may contain digits of its own: replaces by #
 * eight or more digits after a plus, with or without separators, and `bare` or more digits in a row
 * without a plus. If `bare` is 0, digits without a plus stay. */
void cly_text_hide_numbers(char *text, size_t bare);

/* The edit distance: single-letter edits, including swaps of adjacent letters. Returns a large number
 * if either text is longer than 48 bytes. */
size_t cly_text_distance(const char *a, size_t a_length, const char *b, size_t b_length);

/* Appends the text with all but the unreserved characters of RFC 3986 as %XX. */
void cly_percent_encode(cly_buffer *out, const char *text, size_t length);

/* Milliseconds since 1970 from a ULID's first ten characters, or -1 when the
 * text is not a ULID. API: validation facts, ULID. */
double cly_ulid_time_ms(const char *text, size_t length);

/* Returns a copy that the caller frees, or NULL if out of memory. */
char *cly_text_copy(const char *text);

CLY_PRIVATE_END

#endif
