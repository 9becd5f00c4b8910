#define _POSIX_C_SOURCE 200809L
#include "io/chance.h"

#include <time.h>
#include <unistd.h>

cly_chance cly_chance_make(void) {
    struct timespec now;
    cly_chance chance;
    clock_gettime(CLOCK_REALTIME, &now);
    chance.state = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)now.tv_sec ^
                   (uint64_t)getpid() << 32 ^ (uint64_t)(uintptr_t)&chance;
    if (chance.state == 0) chance.state = 1;
    return chance;
}

/* xorshift64* (Vigna). */
double cly_chance_next(cly_chance *chance) {
    uint64_t x = chance->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    chance->state = x;
    return (double)((x * 0x2545F4914F6CDD1Du) >> 11) / 9007199254740992.0;
}
