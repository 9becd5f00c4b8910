/*
 * shape_support.h - changes of a JSON text that leave it JSON.
 *
 * Most changes of a byte end in what is no JSON, and there is little to find in that.
 */
#ifndef CLY_SPEC_FUZZ_SHAPE_SUPPORT_H
#define CLY_SPEC_FUZZ_SHAPE_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

/* One change, in place: a value becomes another one, goes, or gets another name.
 * Returns the length, or 0 when the text is no JSON, has no members or has become
 * longer than `room`. */
size_t shape_change(char *text, size_t length, size_t room, uint32_t seed);

#endif
