#include "core/call.h"

#include "spec/core/test.h"
#include <string.h>

static cly_call call;

static int begin(void **state) {
    (void)state;
    cly_call_init(&call);
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_call_clear(&call);
    return 0;
}

static void start(double timeout, double now) {
    cly_call_begin(&call, cly_operation_find("send_template", 13), timeout, now);
}

static void answer(int status, const char *body, double now) {
    cly_report report = {CLY_END_REPLY, true, 0, -1, NULL, NULL, 0};
    report.status = status;
    report.body = body;
    report.length = strlen(body);
    cly_call_report(&call, &report, "key", now);
}

static void a_call_sends_waits_and_is_done(void **state) {
    (void)state;
    start(30, 100);
    assert_int_equal(cly_call_next(&call, 100), CLY_STEP_SEND);
    assert_int_equal(cly_call_next(&call, 101), CLY_STEP_WAIT);
    assert_int_equal(cly_call_next(&call, 1000), CLY_STEP_WAIT); /* the attempt has its own clock */
    answer(200, "{\"id\":\"a\"}", 102.5);
    assert_int_equal(cly_call_next(&call, 103), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_int_equal(call.attempts, 1);
    assert_int_equal(call.status, 200);
    assert_true(call.ended_at - call.started_at == 2.5);
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_ID), "a");
}

static void a_refusal_is_final(void **state) {
    (void)state;
    start(30, 0);
    cly_call_next(&call, 0);
    answer(400, "{\"message\":\"no\"}", 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_REJECTED);
    assert_int_equal(call.error.attempts, 1);
    assert_int_equal(call.status, 400);
}

static void without_time_nothing_is_sent(void **state) {
    (void)state;
    start(5, 100);
    assert_int_equal(cly_call_next(&call, 105), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_TIMEOUT);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_int_equal(call.attempts, 0);
    assert_non_null(call.error.hint);
}

static void a_cancel_before_the_first_attempt_ends_it(void **state) {
    (void)state;
    start(5, 0);
    cly_call_cancel(&call, 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_CANCELED);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_true(call.ended_at == 1);
}

/* A running attempt is stopped by its carrier, which reports what it saw. */
static void a_cancel_during_an_attempt_waits_for_the_report(void **state) {
    cly_report report = {CLY_END_CANCELED, true, 0, -1, NULL, NULL, 0};
    (void)state;
    start(5, 0);
    cly_call_next(&call, 0);
    cly_call_cancel(&call, 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_WAIT);
    cly_call_report(&call, &report, NULL, 2);
    assert_int_equal(call.error.kind, CLY_CANCELED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
}

static void a_report_that_nobody_waits_for_is_ignored(void **state) {
    (void)state;
    start(5, 0);
    answer(500, "", 0);
    assert_int_equal(call.status, 0);
    cly_call_next(&call, 0);
    answer(200, "{\"id\":\"a\"}", 1);
    answer(500, "{}", 2);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_ID), "a");
    cly_call_cancel(&call, 3);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_true(call.ended_at == 1);
}

static void a_used_call_remembers_nothing(void **state) {
    (void)state;
    start(5, 0);
    cly_call_next(&call, 0);
    answer(401, "{\"message\":\"no\",\"code\":\"c\"}", 1);
    start(5, 10);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_int_equal(call.status, 0);
    assert_null(cly_response_text(&call.response, CLY_TEXT_CODE));
    assert_int_equal(cly_call_next(&call, 10), CLY_STEP_SEND);
    assert_int_equal(call.attempts, 1);
}

static void the_key_is_masked_in_all_that_is_kept(void **state) {
    (void)state;
    start(5, 0);
    cly_call_next(&call, 0);
    answer(401, "{\"message\":\"bad key!\",\"userTitle\":\"key\"}", 1);
    assert_string_equal(call.error.message, "bad ***!");
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_USER_TITLE), "***");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_call_sends_waits_and_is_done),
        TEST(a_refusal_is_final),
        TEST(without_time_nothing_is_sent),
        TEST(a_cancel_before_the_first_attempt_ends_it),
        TEST(a_cancel_during_an_attempt_waits_for_the_report),
        TEST(a_report_that_nobody_waits_for_is_ignored),
        TEST(a_used_call_remembers_nothing),
        TEST(the_key_is_masked_in_all_that_is_kept),
    };
    return cmocka_run_group_tests_name("core/call", tests, NULL, NULL);
}
