/* When an attempt that has no connection is restarted. */
#include "core/connect/hangs.h"

#include "spec/core/test.h"
#include <math.h>

#define TEST(name) cmocka_unit_test(name)

/* One connection was made, in `taken` seconds, by an attempt that began at 100. */
static cly_hangs hangs_after_one(double taken) {
    cly_hangs hangs = {0, 0, 0};
    cly_hangs_connected(&hangs, 100, 100 + taken);
    return hangs;
}

/* Of an attempt with plenty of time. */
static double restart_at(const cly_hangs *hangs, double began_at, bool is_oldest) {
    return cly_hangs_restart_at(hangs, began_at, began_at + 100, is_oldest);
}

static void before_the_first_connection_nothing_hangs(void **state) {
    const cly_hangs hangs = {0, 0, 0};
    (void)state;
    assert_true(isinf(restart_at(&hangs, 100, false)));
}

static void a_connection_hangs_after_a_second(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    assert_true(restart_at(&hangs, 200, false) == 201);
}

static void a_slow_network_is_given_time(void **state) {
    cly_hangs hangs = hangs_after_one(2);
    (void)state;
    assert_true(restart_at(&hangs, 200, false) == 206);
}

/* The network may have become slow: one must have the time to show it. */
static void the_oldest_is_left_alone(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_restarted(&hangs, 205);
    assert_true(isinf(restart_at(&hangs, 200, true)));
}

static void one_that_has_used_a_fifth_of_its_time_is_left_alone(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    assert_true(cly_hangs_restart_at(&hangs, 200, 205, false) == 201);
    assert_true(isinf(cly_hangs_restart_at(&hangs, 200, 204.5, false)));
    cly_hangs_connected(&hangs, 201, 201.25);
    assert_true(cly_hangs_restart_at(&hangs, 200, 204.5, false) == 201);
}

static void one_a_second_is_restarted(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_restarted(&hangs, 205);
    assert_true(restart_at(&hangs, 200, false) == 206);
    assert_true(restart_at(&hangs, 205, false) == 206);
    assert_true(restart_at(&hangs, 205.5, false) == 206.5);
}

static void when_a_later_one_got_through_all_are_restarted(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_restarted(&hangs, 205);
    cly_hangs_connected(&hangs, 205, 205.25);
    assert_true(restart_at(&hangs, 200, true) == 201);
    assert_true(restart_at(&hangs, 200, false) == 201);
    assert_true(restart_at(&hangs, 204.75, false) == 205.75); /* it may be about to get through */
}

static void one_that_began_earlier_says_nothing_of_later_ones(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_connected(&hangs, 205, 205.25);
    cly_hangs_connected(&hangs, 199, 205.5);
    assert_true(hangs.through_at == 205);
    assert_true(isinf(restart_at(&hangs, 205, true)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(before_the_first_connection_nothing_hangs),
        TEST(a_connection_hangs_after_a_second),
        TEST(a_slow_network_is_given_time),
        TEST(the_oldest_is_left_alone),
        TEST(one_that_has_used_a_fifth_of_its_time_is_left_alone),
        TEST(one_a_second_is_restarted),
        TEST(when_a_later_one_got_through_all_are_restarted),
        TEST(one_that_began_earlier_says_nothing_of_later_ones),
    };
    return cmocka_run_group_tests_name("core/connect/hangs", tests, NULL, NULL);
}
