/*
 * spelling_support.h - spellings of a key, written and looked for in another way
 * than core/base/redact.c does it: by writing and by reading JSON in JSON.
 */
#ifndef CLY_SPEC_FUZZ_SPELLING_SUPPORT_H
#define CLY_SPEC_FUZZ_SPELLING_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the key as it would stand in JSON in JSON; `choice` says how many deep,
 * and what each writer escapes. Returns the length, at most `room`. */
size_t spelling_write(char *out, size_t room, const char *key, uint32_t choice);

/* Whether the text, or what it says when it is read as JSON once or up to four
 * times, holds the key. What core/base/redact.h says it does not know is not looked for:
 * many backslashes in a row, and an escape whose letters are escaped themselves. */
bool spelling_is_in(const char *text, size_t length, const char *key);

#endif
