/* Departures that were allowed elsewhere: in order, in time, or void. */
#include "core/slots.h"

#include "spec/core/test.h"
#include <math.h>

static cly_slots slots;

static int begin(void **state) {
    static const cly_slots empty = {0};
    (void)state;
    slots = empty;
    return 0;
}

static void without_one_there_is_no_leaving(void **state) {
    (void)state;
    assert_int_equal(cly_slots_left(&slots, 5), 0);
    assert_true(cly_slots_wait(&slots, 5) == HUGE_VAL);
    cly_slots_take(&slots);
    assert_int_equal(cly_slots_left(&slots, 5), 0);
}

static void each_is_good_for_one(void **state) {
    (void)state;
    cly_slots_add(&slots, 5);
    cly_slots_add(&slots, 5.5);
    assert_true(cly_slots_wait(&slots, 4) == 1);
    assert_true(cly_slots_wait(&slots, 5) == 0);
    cly_slots_take(&slots);
    assert_true(cly_slots_wait(&slots, 5) == 0.5);
    assert_int_equal(cly_slots_left(&slots, 5), 1);
}

static void one_that_nobody_takes_is_void(void **state) {
    (void)state;
    cly_slots_add(&slots, 5);
    cly_slots_add(&slots, 6);
    assert_true(cly_slots_wait(&slots, 5.02) == 0);
    assert_int_equal(cly_slots_left(&slots, 5.03), 1);
    assert_true(cly_slots_wait(&slots, 5.5) == 0.5);
    assert_true(cly_slots_wait(&slots, 7) == HUGE_VAL);
}

static void beyond_the_ceiling_they_are_dropped(void **state) {
    (void)state;
    for (int i = 0; i < CLY_SLOTS_MAX + 10; i++) cly_slots_add(&slots, 5 + i * 0.001);
    assert_int_equal(cly_slots_left(&slots, 5), CLY_SLOTS_MAX);
    for (int i = 0; i < CLY_SLOTS_MAX; i++) cly_slots_take(&slots);
    assert_int_equal(cly_slots_left(&slots, 5), 0);
    for (int turn = 0; turn < 3 * CLY_SLOTS_MAX; turn++) {
        cly_slots_add(&slots, 9);
        assert_true(cly_slots_wait(&slots, 8) == 1);
        cly_slots_take(&slots);
    }
}

/* Ten wait for a connection and leave together: ten that come later are used up. */
static void what_leaves_too_late_pays_with_another(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) cly_slots_add(&slots, 5 + i * 0.005);
    for (int i = 0; i < 10; i++) assert_true(cly_slots_take(&slots) == 5 + i * 0.005);
    for (int i = 0; i < 10; i++) cly_slots_departed(&slots, 5 + i * 0.005, 5.1);
    assert_int_equal(slots.owed, 10);
    for (int i = 0; i < 8; i++) cly_slots_add(&slots, 5.2 + i * 0.005);
    assert_int_equal(cly_slots_left(&slots, 5.1), 0);
    for (int i = 0; i < 3; i++) cly_slots_add(&slots, 5.3 + i * 0.005);
    assert_int_equal(cly_slots_left(&slots, 5.1), 1);
    assert_true(cly_slots_take(&slots) == 5.3 + 2 * 0.005);
    assert_int_equal(slots.owed, 0);
}

static void what_leaves_in_time_owes_nothing(void **state) {
    (void)state;
    cly_slots_departed(&slots, 5, 5.02);
    assert_int_equal(slots.owed, 0);
    for (int i = 0; i < 3 * CLY_SLOTS_MAX; i++) cly_slots_departed(&slots, 5, 6);
    assert_int_equal(slots.owed, CLY_SLOTS_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_one_there_is_no_leaving),        TEST(each_is_good_for_one),
        TEST(one_that_nobody_takes_is_void),          TEST(beyond_the_ceiling_they_are_dropped),
        TEST(what_leaves_too_late_pays_with_another), TEST(what_leaves_in_time_owes_nothing),
    };
    return cmocka_run_group_tests_name("core/slots", tests, NULL, NULL);
}
