/* The limiter's promise, by simulation: a world of seeded chance in which what
 * was let go leaves late, together, or never, and in which clocks and wake-ups
 * are not what they should be. Time is counted in true seconds; the limiter is
 * told those of a clock that may be set back. */
#include "core/rate/limiter.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double rates[] = {0.5, 1, 10, 100, 200, 1000, 5000};

enum { DEPARTURES_MAX = 200000, PENDING_MAX = 20000 };

typedef struct world {
    cly_limiter limiter;
    double rate, now, behind; /* the limiter's clock is this much behind */
    uint64_t seed;
    double pending[PENDING_MAX]; /* when what was let go leaves; negative: gives up then */
    int pending_count;
    double departures[DEPARTURES_MAX];
    int departure_count;
} world;

static world w;

/* What makes a world unkind; nothing of it at first. */
typedef struct weather {
    const char *description;
    double delay;     /* longest time between letting go and leaving */
    double burst;     /* seconds; all that waits leaves together at multiples of it; 0: by itself */
    double give_up;   /* chance that it never leaves */
    double late;      /* longest lateness of a wake-up */
    double pause;     /* chance of a pause, per wake-up */
    double step_back; /* chance that the clock is set back, per wake-up */
    double work;      /* chance that there is work, per wake-up; 0: always */
} weather;

static double chance(void) {
    w.seed ^= w.seed >> 12;
    w.seed ^= w.seed << 25;
    w.seed ^= w.seed >> 27;
    return (double)((w.seed * 0x2545F4914F6CDD1Du) >> 11) / 9007199254740992.0;
}

static double told(void) {
    return w.now - w.behind;
}

static void create(double rate, uint64_t seed) {
    cly_error error;
    memset(&w, 0, sizeof w);
    cly_error_clear(&error);
    assert_int_equal(cly_limiter_init(&w.limiter, rate, &error), CLY_OK);
    w.rate = rate;
    w.seed = seed * 0x9E3779B97F4A7C15u | 1;
    w.now = 1000 * chance();
}

static void destroy(void) {
    cly_limiter_clear(&w.limiter);
}

/* ---- leaving ---- */

static void leave(int index) {
    double at = w.pending[index];
    w.pending[index] = w.pending[--w.pending_count];
    if (at < 0) {
        cly_limiter_gave_up(&w.limiter);
        return;
    }
    assert_true(w.departure_count < DEPARTURES_MAX);
    cly_limiter_left(&w.limiter, told());
    w.departures[w.departure_count++] = w.now;
}

/* Time passes until `until`, and what leaves before then leaves at its moment. */
static void pass(double until) {
    for (;;) {
        int soonest = -1;
        for (int i = 0; i < w.pending_count; i++)
            if (soonest < 0 || fabs(w.pending[i]) < fabs(w.pending[soonest])) soonest = i;
        if (soonest < 0 || fabs(w.pending[soonest]) > until) break;
        w.now = fabs(w.pending[soonest]);
        leave(soonest);
    }
    w.now = until;
}

static void let_go(const weather *in) {
    double at = w.now + in->delay * chance();
    if (in->burst > 0) at = ceil(at / in->burst) * in->burst;
    assert_true(w.pending_count < PENDING_MAX);
    w.pending[w.pending_count++] = chance() < in->give_up ? -at : at;
    if (at <= w.now) leave(w.pending_count - 1);
}

/* ---- living ---- */

static bool is_given(double probability) {
    return probability > 0 && chance() < probability;
}

/* As the engine does: all that may go goes, and then it waits. */
static double wake(const weather *in, double until) {
    double wait = 0;
    if (in->work > 0 && !is_given(in->work)) return chance() * 0.1;
    while (w.now < until && (wait = cly_limiter_take(&w.limiter, told())) <= 0) let_go(in);
    return wait;
}

static void live(const weather *in, double seconds) {
    double until = w.now + seconds;
    while (w.now < until) {
        double wait = wake(in, until);
        if (is_given(in->pause)) cly_limiter_pause(&w.limiter, chance() * 0.5, told());
        if (is_given(in->step_back)) w.behind += chance() * 0.3;
        if (wait > 0.5) wait = 0.5; /* there are other reasons to wake up */
        pass(w.now + wait + in->late * chance());
    }
    pass(w.now + in->delay + in->burst + 1e-6);
}

/* The departures in (t, t + 1] for every t that matters: those that begin at one. */
static int most_in_a_second(void) {
    int most = 0;
    for (int from = 0, to = 0; to < w.departure_count; to++) {
        while (w.departures[from] + 1 <= w.departures[to]) from++;
        if (to - from + 1 > most) most = to - from + 1;
    }
    return most;
}

static void check_no_second_holds_more(const weather *in) {
    int most = most_in_a_second();
    if (w.rate >= 1 && most > (int)w.rate)
        fail_msg("%s: at %g a second one held %d", in->description, w.rate, most);
    if (w.rate < 1 && most > 1) fail_msg("%s: at %g a second one held %d", in->description, w.rate, most);
    if (w.pending_count != 0 || w.limiter.about_to_leave != 0)
        fail_msg("%s: %d are still about to leave", in->description, w.limiter.about_to_leave);
}

static const weather weathers[] = {
    {"nothing in the way", 0, 0, 0, 0, 0, 0, 0},
    {"a few milliseconds each", 0.005, 0, 0, 0, 0, 0, 0},
    {"up to two seconds each", 2, 0, 0, 0, 0, 0, 0},
    {"connections of 300 ms, then all at once", 0, 0.3, 0, 0, 0, 0, 0},
    {"all at once every second", 0, 1, 0, 0, 0, 0, 0},
    {"all at once every two seconds, and late", 1, 2, 0, 0, 0, 0, 0},
    {"half give up", 0.5, 0, 0.5, 0, 0, 0, 0},
    {"nearly all give up, in bursts", 0.2, 0.4, 0.95, 0, 0, 0, 0},
    {"wake-ups up to 50 ms late", 0.01, 0, 0, 0.05, 0, 0, 0},
    {"wake-ups up to two seconds late", 0.01, 0, 0, 2, 0, 0, 0},
    {"pauses", 0.05, 0, 0, 0, 0.05, 0, 0},
    {"a clock that is set back", 0.05, 0, 0, 0.01, 0, 0.05, 0},
    {"work that comes and goes", 0.05, 0, 0, 0.2, 0, 0, 0.3},
    {"all of it", 2, 0.25, 0.2, 0.3, 0.02, 0.02, 0.7},
};

static void no_second_holds_more_than_the_rate(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(weathers); i++) {
        for (size_t j = 0; j < COUNT_OF(rates); j++) {
            uint64_t seeds = rates[j] > 500 ? 1 : 5;
            for (uint64_t seed = 1; seed <= seeds; seed++) {
                create(rates[j], seed);
                live(&weathers[i], rates[j] > 500 ? 5 : 20);
                check_no_second_holds_more(&weathers[i]);
                destroy();
            }
        }
    }
}

/* Not by being slow: with steady work at least 95 % of the rate over 10 s. */
static void there_is_nearly_as_much_as_the_rate(void **state) {
    static const weather fair[] = {
        {"nothing in the way", 0, 0, 0, 0, 0, 0, 0},
        {"up to 10 ms each", 0.01, 0, 0, 0, 0, 0, 0},
        {"wake-ups up to 2 ms late, as a poll's", 0.002, 0, 0, 0.002, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fair); i++) {
        for (size_t j = 0; j < COUNT_OF(rates); j++) {
            create(rates[j], 7);
            live(&fair[i], 10);
            if (w.departure_count < 0.95 * 10 * rates[j])
                fail_msg("%s: at %g only %d in 10 s", fair[i].description, rates[j], w.departure_count);
            check_no_second_holds_more(&fair[i]);
            destroy();
        }
    }
}

/* libcurl's poll counts milliseconds: at 5000 a second it oversleeps five turns,
 * every time. The pace that only forgave four fell to one a wake-up. */
static void a_loop_of_milliseconds_loses_nothing(void **state) {
    (void)state;
    for (size_t j = 0; j < COUNT_OF(rates); j++) {
        double until;
        create(rates[j], 1);
        until = w.now + 10;
        while (w.now < until) {
            double wait = wake(&weathers[0], until);
            pass(w.now + ceil(wait * 1000) / 1000 + 0.0002);
        }
        if (w.departure_count < 0.95 * 10 * rates[j])
            fail_msg("at %g only %d in 10 s", rates[j], w.departure_count);
        check_no_second_holds_more(&weathers[0]);
        destroy();
    }
}

/* A script that is busy for 25 ms between two looks: at each of them what may be
 * caught up with goes, and not one alone. */
static void a_loop_that_is_always_late_is_not_stopped(void **state) {
    (void)state;
    create(200, 1);
    for (int i = 0; i < 400; i++) {
        wake(&weathers[0], w.now + 1);
        pass(w.now + 0.025);
    }
    assert_true(w.departure_count > 0.95 * 1500);
    check_no_second_holds_more(&weathers[0]);
    destroy();
}

/* ---- pace ---- */

static void requests_go_one_by_one(void **state) {
    (void)state;
    create(200, 1);
    live(&weathers[0], 5);
    for (int i = 10; i < w.departure_count; i++) {
        double apart = w.departures[i] - w.departures[i - 1];
        assert_true(apart > 0.8 / 500);
    }
    destroy();
}

/* Within the limit a server was offended: from then on nothing goes in a heap, at
 * no time and after no pause, and the rate is still used. */
static void after_a_429_requests_go_evenly(void **state) {
    double from;
    (void)state;
    create(200, 1);
    live(&weathers[0], 1);
    cly_limiter_pause(&w.limiter, 2, told());
    from = w.now + 2;
    live(&weathers[0], 7);
    for (int i = 1; i < w.departure_count; i++)
        if (w.departures[i] > from) assert_true(w.departures[i] - w.departures[i - 1] > 0.8 / 200);
    assert_true(w.departure_count > 0.95 * (200 + 5 * 200));
    check_no_second_holds_more(&weathers[0]);
    destroy();
}

/* After a rest as before: a low rate saves nothing up. */
static void a_slow_pace_knows_no_burst(void **state) {
    cly_limiter slow;
    (void)state;
    assert_int_equal(cly_limiter_init(&slow, 0.5, NULL), CLY_OK);
    for (double at = 0; at < 100; at += 10) {
        assert_true(cly_limiter_take(&slow, at) == 0);
        cly_limiter_left(&slow, at);
        assert_true(cly_limiter_take(&slow, at + 1.5) > 0);
    }
    cly_limiter_clear(&slow);
}

static void asking_early_is_harmless(void **state) {
    double wait;
    (void)state;
    create(10, 1);
    assert_true(cly_limiter_take(&w.limiter, 5) == 0);
    cly_limiter_left(&w.limiter, 5);
    while (cly_limiter_take(&w.limiter, 5) == 0) cly_limiter_left(&w.limiter, 5);
    for (int i = 0; i < 1000; i++) assert_true(cly_limiter_take(&w.limiter, 5 + i * 1e-6) > 0);
    wait = cly_limiter_take(&w.limiter, 5);
    assert_true(wait <= 0.11);
    assert_true(cly_limiter_take(&w.limiter, 5 + wait) == 0);
    destroy();
}

/* ---- count ---- */

/* Whether the oldest still counts and how long it will are one question: two
 * answers, apart by a rounding, would let one go too many. */
static void rounding_lets_nobody_go(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        cly_limiter one;
        double at, next;
        assert_int_equal(cly_limiter_init(&one, 1.05, NULL), CLY_OK); /* one in a window */
        w.seed = (uint64_t)i * 0x9E3779B97F4A7C15u | 1;
        at = 1e6 * chance();
        assert_true(cly_limiter_take(&one, at) == 0);
        cly_limiter_left(&one, at);
        next = nextafter(at + one.window, 0);
        if (next - at < one.window && cly_limiter_take(&one, next) == 0 && at + one.window - next > 0)
            fail_msg("%.17g lets %.17g go", at, next);
        cly_limiter_clear(&one);
    }
}

static void those_about_to_leave_count(void **state) {
    cly_limiter ten;
    int gone = 0;
    (void)state;
    assert_int_equal(cly_limiter_init(&ten, 10, NULL), CLY_OK);
    for (double at = 0; at < 60; at += 0.01) gone += cly_limiter_take(&ten, at) == 0;
    assert_int_equal(gone, 10); /* and no more, for a minute */
    cly_limiter_gave_up(&ten);
    assert_true(cly_limiter_take(&ten, 61) == 0);
    for (int i = 0; i < 10; i++) cly_limiter_left(&ten, 62);
    assert_true(cly_limiter_take(&ten, 63) > 0);
    assert_true(cly_limiter_take(&ten, 63.02) == 0);
    cly_limiter_clear(&ten);
}

static void departures_nobody_asked_for_do_no_harm(void **state) {
    cly_limiter ten;
    (void)state;
    assert_int_equal(cly_limiter_init(&ten, 10, NULL), CLY_OK);
    for (int i = 0; i < 35; i++) cly_limiter_left(&ten, i * 0.001);
    cly_limiter_gave_up(&ten);
    assert_true(cly_limiter_take(&ten, 0.5) > 0);
    assert_true(cly_limiter_take(&ten, 1.055) == 0);
    assert_int_equal(ten.about_to_leave, 1);
    cly_limiter_clear(&ten);
}

/* ---- pauses and clocks ---- */

static void a_pause_lets_nothing_go(void **state) {
    (void)state;
    for (size_t j = 0; j < COUNT_OF(rates); j++) {
        create(rates[j], 3);
        live(&weathers[0], 3);
        cly_limiter_pause(&w.limiter, 5, told());
        for (int i = 0; i < 4999; i++) assert_true(cly_limiter_take(&w.limiter, told() + i * 0.001) > 0);
        assert_true(cly_limiter_take(&w.limiter, told() + 8) == 0);
        cly_limiter_gave_up(&w.limiter);
        destroy();
    }
}

static void the_longest_pause_counts(void **state) {
    cly_limiter ten;
    double wait;
    (void)state;
    assert_int_equal(cly_limiter_init(&ten, 10, NULL), CLY_OK);
    cly_limiter_pause(&ten, 10, 100);
    cly_limiter_pause(&ten, 1, 101);
    cly_limiter_pause(&ten, 0, 102);
    cly_limiter_pause(&ten, -5, 102);
    wait = cly_limiter_take(&ten, 102);
    assert_true(wait == 8);
    assert_true(cly_limiter_take(&ten, 110) == 0);
    cly_limiter_clear(&ten);
}

static void time_that_goes_backwards_lets_nothing_go(void **state) {
    cly_limiter ten;
    (void)state;
    assert_int_equal(cly_limiter_init(&ten, 10, NULL), CLY_OK);
    while (cly_limiter_take(&ten, 100) == 0) cly_limiter_left(&ten, 100);
    for (double at = 99.99; at > 0; at -= 0.37) assert_true(cly_limiter_take(&ten, at) > 0);
    assert_true(cly_limiter_take(&ten, 101.02) == 0);
    cly_limiter_clear(&ten);
}

/* ---- one within another ---- */

static void one_within_another_needs_both(void **state) {
    cly_limiter all, some;
    (void)state;
    assert_int_equal(cly_limiter_init(&all, 2, NULL), CLY_OK);
    assert_int_equal(cly_limiter_init(&some, 1, NULL), CLY_OK);
    some.within = &all;
    assert_true(cly_limiter_take(&some, 100) == 0);
    cly_limiter_left(&some, 100);
    assert_true(cly_limiter_take(&some, 100.6) > 0);
    assert_int_equal(all.about_to_leave, 0); /* what was refused took nothing */
    assert_true(cly_limiter_take(&all, 100.6) == 0);
    cly_limiter_left(&all, 100.6);
    assert_true(cly_limiter_take(&all, 100.9) > 0); /* the one of the other counts */
    cly_limiter_pause(&all, 10, 101);
    assert_true(cly_limiter_take(&some, 105) > 0);
    assert_int_equal(some.about_to_leave, 0);
    assert_true(cly_limiter_take(&some, 112) == 0);
    assert_int_equal(all.about_to_leave, 1);
    cly_limiter_gave_up(&some);
    assert_int_equal(all.about_to_leave, 0);
    cly_limiter_clear(&some);
    cly_limiter_clear(&all);
}

/* ---- memory ---- */

static void without_memory_there_is_none(void **state) {
    long live_before = memory_live();
    cly_limiter none;
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    memory_fail(0, MEMORY_FAILS_FROM_THEN_ON);
    assert_int_equal(cly_limiter_init(&none, 200, &error), CLY_OVERLOADED);
    assert_true(memory_restore());
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    cly_limiter_clear(&none);
    cly_limiter_clear(&none);
    assert_int_equal(memory_live(), live_before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_second_holds_more_than_the_rate),
        cmocka_unit_test(there_is_nearly_as_much_as_the_rate),
        cmocka_unit_test(a_loop_of_milliseconds_loses_nothing),
        cmocka_unit_test(a_loop_that_is_always_late_is_not_stopped),
        cmocka_unit_test(requests_go_one_by_one),
        cmocka_unit_test(after_a_429_requests_go_evenly),
        cmocka_unit_test(a_slow_pace_knows_no_burst),
        cmocka_unit_test(asking_early_is_harmless),
        cmocka_unit_test(rounding_lets_nobody_go),
        cmocka_unit_test(those_about_to_leave_count),
        cmocka_unit_test(departures_nobody_asked_for_do_no_harm),
        cmocka_unit_test(a_pause_lets_nothing_go),
        cmocka_unit_test(the_longest_pause_counts),
        cmocka_unit_test(time_that_goes_backwards_lets_nothing_go),
        cmocka_unit_test(one_within_another_needs_both),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests_name("core/rate/limiter", tests, NULL, NULL);
}
