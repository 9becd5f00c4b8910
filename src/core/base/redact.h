/*
 * redact.h - masks the API key in replies before they are stored.
 *
 * A gateway may echo the request: verbatim, or inside JSON, where some encoders write a slash as \/,
 * others write any character as \u002f, and JSON may be nested in a JSON string. So the text is not
 * searched for each spelling in turn. It is compared with the key character by character: an escape
 * counts as the character it encodes, and backslashes, which only introduce escapes, are skipped on
 * both sides. This may mask slightly more than the key, but never less.
 *
 * Limits: more than 16 backslashes in a row match no spelling, nor does an escape whose u or digits are
 * themselves escaped. HTML entities and percent-encoding are not recognized.
 */
#ifndef CLY_CORE_BASE_REDACT_H
#define CLY_CORE_BASE_REDACT_H

#include "core/base/visibility.h"
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

/* Copies the first `shown` of the `length` bytes of `text` to `out` and overwrites with stars every
 * spelling of `secret` that begins in them, even one that ends beyond them. A prefix of the secret at
 * the end of `text`, where the text was cut off, is masked too. An empty or NULL secret masks nothing.
 * `out` may be `text` itself. Returns true if anything was masked. */
bool cly_redact(char *out, const char *text, size_t length, size_t shown, const char *secret);

/* A shorter secret would also mask parts of the reply, such as letters of an id. */
enum { CLY_REDACTED_LEAST = 8 };

/* Zeroes memory before it is freed, in a way that the compiler cannot optimize out. */
void cly_wipe(void *bytes, size_t length);

/* The same for a zero-terminated text; NULL is allowed. */
void cly_wipe_text(char *text);

CLY_PRIVATE_END

#endif
