#define _POSIX_C_SOURCE 200809L
#include "io/clock.h"

#include <time.h>

double cly_clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
