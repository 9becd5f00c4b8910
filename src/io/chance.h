/*
 * chance.h - numbers for jitter. Not for secrets.
 */
#ifndef CLY_IO_CHANCE_H
#define CLY_IO_CHANCE_H

#include "core/visibility.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef struct cly_chance {
    uint64_t state; /* never 0 */
} cly_chance;

/* Seeded from the clock, the process and an address. */
cly_chance cly_chance_make(void);

/* From 0 (included) to 1 (excluded). */
double cly_chance_next(cly_chance *chance);

CLY_PRIVATE_END

#endif
