/* Departures that were allowed elsewhere: in order, in time, or void. */
#include "core/rate/permits.h"

#include "spec/core/test.h"
#include <math.h>

static cly_permits permits;

static int begin(void **state) {
    static const cly_permits empty = {0};
    (void)state;
    permits = empty;
    return 0;
}

static void without_one_there_is_no_leaving(void **state) {
    (void)state;
    assert_int_equal(cly_permits_left(&permits, 5), 0);
    assert_true(cly_permits_wait(&permits, 5) == HUGE_VAL);
    cly_permits_take(&permits);
    assert_int_equal(cly_permits_left(&permits, 5), 0);
}

static void each_is_good_for_one(void **state) {
    (void)state;
    cly_permits_add(&permits, 5);
    cly_permits_add(&permits, 5.5);
    assert_true(cly_permits_wait(&permits, 4) == 1);
    assert_true(cly_permits_wait(&permits, 5) == 0);
    cly_permits_take(&permits);
    assert_true(cly_permits_wait(&permits, 5) == 0.5);
    assert_int_equal(cly_permits_left(&permits, 5), 1);
}

static void one_that_nobody_takes_is_void(void **state) {
    (void)state;
    cly_permits_add(&permits, 5);
    cly_permits_add(&permits, 6);
    assert_true(cly_permits_wait(&permits, 5.02) == 0);
    assert_int_equal(cly_permits_left(&permits, 5.03), 1);
    assert_true(cly_permits_wait(&permits, 5.5) == 0.5);
    assert_true(cly_permits_wait(&permits, 7) == HUGE_VAL);
}

static void beyond_the_ceiling_they_are_dropped(void **state) {
    (void)state;
    for (int i = 0; i < CLY_PERMITS_MAX + 10; i++) cly_permits_add(&permits, 5 + i * 0.001);
    assert_int_equal(cly_permits_left(&permits, 5), CLY_PERMITS_MAX);
    for (int i = 0; i < CLY_PERMITS_MAX; i++) cly_permits_take(&permits);
    assert_int_equal(cly_permits_left(&permits, 5), 0);
    for (int turn = 0; turn < 3 * CLY_PERMITS_MAX; turn++) {
        cly_permits_add(&permits, 9);
        assert_true(cly_permits_wait(&permits, 8) == 1);
        cly_permits_take(&permits);
    }
}

/* Ten wait for a connection and leave together: ten that come later are used up. */
static void what_leaves_too_late_pays_with_another(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) cly_permits_add(&permits, 5 + i * 0.005);
    for (int i = 0; i < 10; i++) assert_true(cly_permits_take(&permits) == 5 + i * 0.005);
    for (int i = 0; i < 10; i++) cly_permits_departed(&permits, 5 + i * 0.005, 5.1);
    assert_int_equal(permits.owed, 10);
    for (int i = 0; i < 8; i++) cly_permits_add(&permits, 5.2 + i * 0.005);
    assert_int_equal(cly_permits_left(&permits, 5.1), 0);
    for (int i = 0; i < 3; i++) cly_permits_add(&permits, 5.3 + i * 0.005);
    assert_int_equal(cly_permits_left(&permits, 5.1), 1);
    assert_true(cly_permits_take(&permits) == 5.3 + 2 * 0.005);
    assert_int_equal(permits.owed, 0);
}

static void what_leaves_in_time_owes_nothing(void **state) {
    (void)state;
    cly_permits_departed(&permits, 5, 5.02);
    assert_int_equal(permits.owed, 0);
    for (int i = 0; i < 3 * CLY_PERMITS_MAX; i++) cly_permits_departed(&permits, 5, 6);
    assert_int_equal(permits.owed, CLY_PERMITS_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_one_there_is_no_leaving),        TEST(each_is_good_for_one),
        TEST(one_that_nobody_takes_is_void),          TEST(beyond_the_ceiling_they_are_dropped),
        TEST(what_leaves_too_late_pays_with_another), TEST(what_leaves_in_time_owes_nothing),
    };
    return cmocka_run_group_tests_name("core/rate/permits", tests, NULL, NULL);
}
