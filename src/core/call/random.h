/*
 * random.h - random numbers for jitter, not for secrets.
 */
#ifndef CLY_CORE_CALL_RANDOM_H
#define CLY_CORE_CALL_RANDOM_H

#include "core/base/visibility.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef struct cly_random {
    uint64_t state; /* never 0 */
} cly_random;

cly_random cly_random_make(uint64_t seed);

/* From 0 (included) to 1 (excluded). */
double cly_random_next(cly_random *random);

CLY_PRIVATE_END

#endif
