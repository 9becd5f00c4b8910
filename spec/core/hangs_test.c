/* When an attempt that has no connection is begun anew. */
#include "core/hangs.h"

#include "spec/core/test.h"
#include <math.h>

#define TEST(name) cmocka_unit_test(name)

/* One connection was made, in `taken` seconds, by an attempt that began at 100. */
static cly_hangs hangs_after_one(double taken) {
    cly_hangs hangs = {0, 0, 0};
    cly_hangs_made(&hangs, 100, 100 + taken);
    return hangs;
}

static void before_the_first_connection_nothing_hangs(void **state) {
    const cly_hangs hangs = {0, 0, 0};
    (void)state;
    assert_true(isinf(cly_hangs_until(&hangs, 100)));
}

static void a_connection_hangs_after_a_second(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    assert_true(cly_hangs_until(&hangs, 200) == 201);
}

static void a_slow_network_is_given_time(void **state) {
    cly_hangs hangs = hangs_after_one(2);
    (void)state;
    assert_true(cly_hangs_until(&hangs, 200) == 206);
}

static void one_a_second_is_begun_anew(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_renewed(&hangs, 205);
    assert_true(cly_hangs_until(&hangs, 200) == 206);
    assert_true(cly_hangs_until(&hangs, 205) == 206);
    assert_true(cly_hangs_until(&hangs, 205.5) == 206.5);
}

static void when_a_later_one_got_through_all_are_begun_anew(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_renewed(&hangs, 205);
    cly_hangs_made(&hangs, 205, 205.25);
    assert_true(cly_hangs_until(&hangs, 200) == 201);
    assert_true(cly_hangs_until(&hangs, 204.75) == 205.75); /* it may be about to get through */
}

static void one_that_began_earlier_says_nothing_of_later_ones(void **state) {
    cly_hangs hangs = hangs_after_one(0.25);
    (void)state;
    cly_hangs_made(&hangs, 205, 205.25);
    cly_hangs_made(&hangs, 199, 205.5);
    assert_true(hangs.through_at == 205);
    assert_true(cly_hangs_until(&hangs, 205) >= 206);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(before_the_first_connection_nothing_hangs),
        TEST(a_connection_hangs_after_a_second),
        TEST(a_slow_network_is_given_time),
        TEST(one_a_second_is_begun_anew),
        TEST(when_a_later_one_got_through_all_are_begun_anew),
        TEST(one_that_began_earlier_says_nothing_of_later_ones),
    };
    return cmocka_run_group_tests_name("core/hangs", tests, NULL, NULL);
}
