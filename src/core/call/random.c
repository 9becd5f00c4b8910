#include "core/call/random.h"

cly_random cly_random_make(uint64_t seed) {
    cly_random random = {seed ? seed : 1};
    return random;
}

/* xorshift64* (Vigna). */
double cly_random_next(cly_random *random) {
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return (double)((x * 0x2545F4914F6CDD1Du) >> 11) / 9007199254740992.0;
}
