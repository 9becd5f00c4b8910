/* The numbers for jitter: within their bounds, spread, and the same for the same seed. */
#include "core/call/random.h"

#include "spec/core/test.h"

static void the_numbers_are_from_0_to_1_and_spread(void **state) {
    enum { COUNT = 10000, PARTS = 10 };
    cly_random random = cly_random_make(42);
    int hits[PARTS] = {0};
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        double number = cly_random_next(&random);
        assert_true(number >= 0 && number < 1);
        hits[(int)(number * PARTS)]++;
    }
    for (int i = 0; i < PARTS; i++) assert_in_range(hits[i], COUNT / PARTS * 8 / 10, COUNT / PARTS * 12 / 10);
}

static void a_seed_gives_the_same_numbers(void **state) {
    cly_random first = cly_random_make(7), second = cly_random_make(7), other = cly_random_make(8);
    (void)state;
    for (int i = 0; i < 100; i++) assert_true(cly_random_next(&first) == cly_random_next(&second));
    assert_true(cly_random_next(&first) != cly_random_next(&other));
}

/* The generator would stay at 0. */
static void a_seed_of_0_is_none(void **state) {
    cly_random random = cly_random_make(0);
    double first = cly_random_next(&random);
    (void)state;
    assert_true(cly_random_next(&random) != first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_from_0_to_1_and_spread),
        cmocka_unit_test(a_seed_gives_the_same_numbers),
        cmocka_unit_test(a_seed_of_0_is_none),
    };
    return cmocka_run_group_tests_name("core/call/random", tests, NULL, NULL);
}
