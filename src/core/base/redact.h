/*
 * redact.h - a key is taken out of what is kept of a reply.
 *
 * A gateway may echo what it was sent: as it is, or inside JSON, where some write
 * a slash as \/ and others any character as \u002f, and JSON may stand in JSON.
 * So the text is not searched for one spelling after the other. It is compared
 * with the key character by character, an escape counting as what it stands for,
 * and backslashes, which are only there to escape, counting for nothing on both
 * sides. That masks a little more than the key, and never less.
 *
 * The limits: more than 16 backslashes in a row belong to no spelling, and neither
 * does an escape whose u or digits are escaped themselves; what HTML or
 * percent-encoding make of a key is not known here.
 */
#ifndef CLY_CORE_BASE_REDACT_H
#define CLY_CORE_BASE_REDACT_H

#include "core/base/visibility.h"
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

/* Copies the first `shown` of the `length` bytes of a text, with stars over every
 * spelling of `secret` that begins there, though it ends behind; over its
 * beginning, too, where the text breaks off in it. An empty or NULL secret is
 * none. `out` may be the text itself. True when a star was put. */
bool cly_redact(char *out, const char *text, size_t length, size_t shown, const char *secret);

/* A shorter one would hide what belongs to the reply, such as letters of an id. */
enum { CLY_REDACTED_LEAST = 8 };

/* Overwrites what is about to be freed, in a way that no compiler leaves out. */
void cly_wipe(void *bytes, size_t length);

/* The same for a text; NULL is fine. */
void cly_wipe_text(char *text);

CLY_PRIVATE_END

#endif
