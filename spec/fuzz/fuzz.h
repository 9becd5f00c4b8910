/*
 * fuzz.h - what a fuzz target says of an input that should not be.
 *
 * A target is spec/fuzz/NAME_fuzz.c; `make fuzz` runs it from the top directory on
 * spec/fuzz/corpus/NAME. It looks at one input, ends the process when a promise is
 * broken, and libFuzzer then keeps the input. What it does depends on the input
 * alone, so that every finding can be had again.
 */
#ifndef CLY_SPEC_FUZZ_FUZZ_H
#define CLY_SPEC_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

#define EXPECT(condition, what)                                                                 \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, (what), #condition); \
            abort();                                                                            \
        }                                                                                       \
    } while (0)

/* A number to choose by, the same for the same bytes (FNV-1a). */
static inline uint32_t fuzz_hash(const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ at[i]) * 16777619u;
    return hash;
}

#endif
