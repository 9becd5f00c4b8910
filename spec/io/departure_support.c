#include "spec/io/departure_support.h"

#include "core/rate/limiter.h"
#include "io/system/clock.h"
#include <stdatomic.h>

enum { STAMPS = 65536 };

static double stamps[STAMPS];
static atomic_int count;

void __real_cly_limiter_left(cly_limiter *limiter, double now);
void __wrap_cly_limiter_left(cly_limiter *limiter, double now);

void __wrap_cly_limiter_left(cly_limiter *limiter, double now) {
    stamps[atomic_fetch_add(&count, 1) % STAMPS] = cly_clock_now();
    __real_cly_limiter_left(limiter, now);
}

void departures_forget(void) {
    atomic_store(&count, 0);
}

int departures(void) {
    return atomic_load(&count);
}

int departures_in_a_second(void) {
    int most = 0;
    for (int from = 0, to = 0; to < departures() && to < STAMPS; to++) {
        while (stamps[from] + 1 <= stamps[to]) from++;
        if (to - from + 1 > most) most = to - from + 1;
    }
    return most;
}

double departures_span(void) {
    return departures() > 0 ? stamps[departures() - 1] - stamps[0] : 0;
}
