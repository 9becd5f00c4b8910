#define _POSIX_C_SOURCE 200809L
#include "io/system/clock.h"

#include <time.h>
#include <unistd.h>

double cly_clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cly_clock_sleep(double seconds) {
    struct timespec length;
    length.tv_sec = (time_t)seconds;
    length.tv_nsec = (long)((seconds - (double)length.tv_sec) * 1e9);
    nanosleep(&length, NULL);
}

uint64_t cly_clock_seed(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 32 ^
           (uint64_t)(uintptr_t)&now;
}
