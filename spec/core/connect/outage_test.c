/* When an outage begins, how often it is probed, and what ends it. */
#include "core/connect/outage.h"

#include "spec/core/test.h"
#include <math.h>
#include <string.h>

static cly_outage outage;

static int begin(void **state) {
    (void)state;
    memset(&outage, 0, sizeof outage);
    return 0;
}

static void fail_at(cly_outage_sign sign, double now) {
    cly_outage_failed(&outage, sign, now, cly_outage_started(&outage, now), 0, now);
}

/* At 0, of an API that was reached before. */
static void begin_outage(void) {
    cly_outage_reached(&outage, true, -1);
    fail_at(CLY_SIGN_UNREACHED, 0);
    assert_true(outage.is_on);
}

static void without_one_nothing_waits(void **state) {
    (void)state;
    assert_true(cly_outage_wait(&outage, 0) == 0);
    for (int i = 0; i < 10; i++) assert_false(cly_outage_started(&outage, 1)); /* no probes */
    assert_true(cly_outage_wait(&outage, 1e6) == 0);
    cly_outage_unclear(&outage);
    cly_outage_reached(&outage, false, -1);
    assert_false(outage.is_on);
}

static void one_connection_that_cannot_be_made_begins_it(void **state) {
    (void)state;
    fail_at(CLY_SIGN_UNREACHED, 100);
    assert_true(outage.is_on);
    assert_true(cly_outage_wait(&outage, 100) > 0);
    assert_true(cly_outage_wait(&outage, 100.5) == 0);
}

static void probes_go_one_at_a_time(void **state) {
    (void)state;
    begin_outage();
    assert_true(cly_outage_wait(&outage, 1) == 0);
    assert_true(cly_outage_started(&outage, 1));
    assert_true(cly_outage_wait(&outage, 1) == 1);
    assert_true(cly_outage_wait(&outage, 1.5) == 0.5);
    fail_at(CLY_SIGN_UNREACHED, 1000);
    assert_true(cly_outage_wait(&outage, 1000) > 0);
    assert_true(cly_outage_wait(&outage, 1001) == 0);
}

/* Attempts that were under way when it began end one after another. */
static void others_that_fail_start_no_second_probe(void **state) {
    (void)state;
    begin_outage();
    assert_true(cly_outage_started(&outage, 1));
    cly_outage_failed(&outage, CLY_SIGN_UNREACHED, 0, false, 0, 1.5);
    assert_true(cly_outage_wait(&outage, 1.5) == 0.5);
}

/* The n-th failure of an outage, and the delay after it that no chance shortens. */
static const double delays[] = {0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5};

static void delays_double_up_to_half_a_second(void **state) {
    static const double chances[] = {0, 0.25, 0.5, 0.999999};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(chances); i++) {
        begin(state);
        for (size_t probe = 0; probe < COUNT_OF(delays); probe++) {
            double now = (double)probe * 10, expected = delays[probe] * (0.5 + chances[i] / 2);
            cly_outage_failed(&outage, CLY_SIGN_UNREACHED, now, cly_outage_started(&outage, now), chances[i],
                              now);
            assert_true(fabs(cly_outage_wait(&outage, now) - expected) < 1e-9);
            assert_true(cly_outage_wait(&outage, now + 0.5) == 0);
        }
    }
}

static void a_thousand_failures_leave_half_a_second(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++) fail_at(CLY_SIGN_UNREACHED, 7);
    assert_true(cly_outage_wait(&outage, 7) == 0.25);
}

static void the_next_one_begins_with_a_short_delay(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) fail_at(CLY_SIGN_UNREACHED, 0);
    cly_outage_reached(&outage, true, -1);
    assert_true(cly_outage_wait(&outage, 0) == 0);
    fail_at(CLY_SIGN_UNREACHED, 10);
    assert_true(cly_outage_wait(&outage, 10) <= 0.05);
}

static void a_connection_ends_it(void **state) {
    (void)state;
    begin_outage();
    assert_true(cly_outage_started(&outage, 1));
    cly_outage_reached(&outage, false, -1);
    assert_false(outage.is_on);
    assert_true(cly_outage_wait(&outage, 0) == 0);
    assert_false(cly_outage_started(&outage, 1));
}

static void a_probe_that_tells_nothing_lets_the_next_go(void **state) {
    (void)state;
    begin_outage();
    assert_true(cly_outage_started(&outage, 1));
    cly_outage_unclear(&outage);
    assert_true(outage.is_on);
    assert_true(cly_outage_wait(&outage, 1) == 0);
}

/* ---- bad replies ---- */

static void three_bad_replies_in_a_row_begin_it(void **state) {
    (void)state;
    fail_at(CLY_SIGN_BAD_REPLY, 0);
    assert_false(outage.is_on);
    fail_at(CLY_SIGN_BAD_REPLY, 1);
    assert_true(cly_outage_wait(&outage, 1) == 0);
    fail_at(CLY_SIGN_BAD_REPLY, 2);
    assert_true(outage.is_on);
    assert_true(cly_outage_wait(&outage, 2) > 0);
}

static void a_good_reply_between_them_counts(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        fail_at(CLY_SIGN_BAD_REPLY, i);
        fail_at(CLY_SIGN_BAD_REPLY, i);
        cly_outage_reached(&outage, true, -1);
        assert_false(outage.is_on);
    }
}

/* Each bad reply came over a connection, which shows nothing. */
static void a_connection_between_them_does_not_count(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        cly_outage_reached(&outage, false, -1);
        fail_at(CLY_SIGN_BAD_REPLY, i);
    }
    assert_true(outage.is_on);
}

static void what_bad_replies_began_a_good_one_ends(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) fail_at(CLY_SIGN_BAD_REPLY, 0);
    assert_true(cly_outage_started(&outage, 1));
    cly_outage_reached(&outage, false, -1); /* the probe's connection */
    assert_true(outage.is_on);
    assert_true(cly_outage_wait(&outage, 1) == 1);
    cly_outage_reached(&outage, true, -1);
    assert_false(outage.is_on);
    fail_at(CLY_SIGN_BAD_REPLY, 2); /* counted from 0 again */
    assert_false(outage.is_on);
}

/* The balancer went too: then a connection shows something again. */
static void the_last_sign_says_what_ends_it(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) fail_at(CLY_SIGN_BAD_REPLY, 0);
    fail_at(CLY_SIGN_UNREACHED, 1);
    cly_outage_reached(&outage, false, -1);
    assert_false(outage.is_on);
    fail_at(CLY_SIGN_UNREACHED, 2);
    fail_at(CLY_SIGN_BAD_REPLY, 3);
    cly_outage_reached(&outage, false, -1);
    assert_true(outage.is_on);
}

/* ---- an address that was never reached ---- */

static void a_port_that_never_answered_was_never_reached(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) fail_at(CLY_SIGN_UNREACHED, i);
    assert_true(outage.is_on);
    assert_false(outage.was_reached);
    cly_outage_reached(&outage, false, -1);
    assert_true(outage.was_reached);
    fail_at(CLY_SIGN_UNREACHED, 11);
    assert_true(outage.was_reached); /* for good */
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

/* As when packets are lost: a connection takes its time to fail. */
static void a_probe_that_hangs_is_followed_by_another(void **state) {
    (void)state;
    begin_outage();
    assert_true(cly_outage_started(&outage, 1));
    assert_true(cly_outage_wait(&outage, 1.9) > 0);
    assert_true(cly_outage_wait(&outage, 2) == 0);
    assert_true(cly_outage_started(&outage, 2));
    assert_true(cly_outage_wait(&outage, 2.9) > 0);
    cly_outage_reached(&outage, true, 2.5);
    assert_true(cly_outage_wait(&outage, 2.9) == 0);
}

/* It was begun before the API was reached, and fails after that. */
static void an_attempt_that_hung_begins_no_outage(void **state) {
    (void)state;
    begin_outage();
    assert_true(cly_outage_started(&outage, 1));
    assert_true(cly_outage_started(&outage, 2));
    cly_outage_reached(&outage, false, 2.1);
    cly_outage_failed(&outage, CLY_SIGN_UNREACHED, 1, true, 0, 6);
    assert_false(outage.is_on);
    cly_outage_failed(&outage, CLY_SIGN_UNREACHED, 3, false, 0, 8);
    assert_true(outage.is_on);
}

static void lose_at(double began_at, double now) {
    cly_outage_lost(&outage, began_at, cly_outage_started(&outage, now), 0, now);
}

/* A server that takes requests and closes, as a balancer does without a backend. */
static void connections_that_are_lost_in_a_row_begin_it(void **state) {
    (void)state;
    cly_outage_reached(&outage, true, -1);
    for (int i = 0; i < 4; i++) lose_at(2 * i + 1, 2 * i + 2);
    assert_false(outage.is_on);
    lose_at(9, 10);
    assert_true(outage.is_on);
    cly_outage_reached(&outage, false, -1); /* a connection alone is no sign of its end */
    assert_true(outage.is_on);
    cly_outage_reached(&outage, true, -1);
    assert_false(outage.is_on);
}

/* All that one connection carried are lost with it. */
static void attempts_that_are_lost_together_count_once(void **state) {
    (void)state;
    cly_outage_reached(&outage, true, -1);
    for (int i = 0; i < 64; i++) lose_at(1, 2);
    for (int i = 0; i < 64; i++) lose_at(2, 3); /* begun in the moment in which that was noticed */
    for (int i = 0; i < 3; i++) lose_at(2 * i + 4, 2 * i + 5);
    assert_false(outage.is_on);
    cly_outage_reached(&outage, true, -1);
    lose_at(12, 13);
    assert_false(outage.is_on);
}

static void a_probe_that_is_lost_lets_another_start(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) lose_at(2 * i + 1, 2 * i + 2);
    assert_true(cly_outage_started(&outage, 1));
    cly_outage_lost(&outage, 11, true, 0, 12);
    assert_true(cly_outage_wait(&outage, 12) > 0);
    assert_true(cly_outage_wait(&outage, 13) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_one_nothing_waits),
        TEST(one_connection_that_cannot_be_made_begins_it),
        TEST(probes_go_one_at_a_time),
        TEST(others_that_fail_start_no_second_probe),
        TEST(delays_double_up_to_half_a_second),
        TEST(a_thousand_failures_leave_half_a_second),
        TEST(the_next_one_begins_with_a_short_delay),
        TEST(a_connection_ends_it),
        TEST(a_probe_that_tells_nothing_lets_the_next_go),
        TEST(three_bad_replies_in_a_row_begin_it),
        TEST(a_good_reply_between_them_counts),
        TEST(a_connection_between_them_does_not_count),
        TEST(what_bad_replies_began_a_good_one_ends),
        TEST(the_last_sign_says_what_ends_it),
        TEST(a_port_that_never_answered_was_never_reached),
        TEST(a_probe_that_hangs_is_followed_by_another),
        TEST(an_attempt_that_hung_begins_no_outage),
        TEST(connections_that_are_lost_in_a_row_begin_it),
        TEST(attempts_that_are_lost_together_count_once),
        TEST(a_probe_that_is_lost_lets_another_start),
    };
    return cmocka_run_group_tests_name("core/connect/outage", tests, NULL, NULL);
}
