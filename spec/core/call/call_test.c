#include "core/call/call.h"

#include "spec/core/test.h"
#include <string.h>

static cly_call call;
static cly_call_rules rules;

static int begin(void **state) {
    (void)state;
    cly_call_init(&call);
    rules.policy.max_attempts = 3;
    rules.policy.retry_unknown = false;
    rules.is_outage = false;
    rules.quota = cly_retry_quota_make();
    rules.secret = "key";
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_call_clear(&call);
    return 0;
}

static void start(double timeout, double now) {
    cly_call_begin(&call, cly_operation_find("send_template", 13), (cly_batch){0, 0}, timeout, now);
}

static void start_campaigns(int entries) {
    cly_call_begin(&call, cly_operation_find("send_campaigns", 14), (cly_batch){entries, 1}, 30, 0);
}

/* The limiter let it go at once. */
static void attempt(double now) {
    assert_int_equal(cly_call_next(&call, now), CLY_STEP_SEND);
    cly_call_sent(&call);
}

static void report(cly_report given, double now) {
    cly_call_report(&call, &rules, &given, 0.5, now);
}

static void answer_after(int status, const char *body, double retry_after, double now) {
    cly_report given = {CLY_END_REPLY, true, 0, -1, NULL, NULL, 0};
    given.status = status;
    given.body = body;
    given.length = strlen(body);
    given.retry_after = retry_after;
    report(given, now);
}

static void answer(int status, const char *body, double now) {
    answer_after(status, body, -1, now);
}

static void lose(bool bytes_left, double now) {
    cly_report given = {CLY_END_LOST, false, 0, -1, "why", NULL, 0};
    given.bytes_left = bytes_left;
    report(given, now);
}

static void a_call_sends_waits_and_is_done(void **state) {
    (void)state;
    start(30, 100);
    assert_int_equal(cly_call_next(&call, 100), CLY_STEP_SEND);
    cly_call_sent(&call);
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

/* The limiter decides when; to be asked is not yet to go. */
static void send_is_said_until_it_is_sent(void **state) {
    (void)state;
    start(30, 0);
    assert_int_equal(cly_call_next(&call, 0), CLY_STEP_SEND);
    assert_int_equal(cly_call_next(&call, 5), CLY_STEP_SEND);
    assert_int_equal(call.attempts, 0);
    cly_call_sent(&call);
    assert_int_equal(call.attempts, 1);
}

static void a_refusal_is_final(void **state) {
    (void)state;
    start(30, 0);
    attempt(0);
    answer(400, "{\"message\":\"no\"}", 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_REJECTED);
    assert_int_equal(call.error.attempts, 1);
    assert_int_equal(call.status, 400);
}

static void a_connection_that_a_setting_prevents_is_tried_once(void **state) {
    static const cly_end ends[] = {CLY_END_UNTRUSTED, CLY_END_PROXY_UNTRUSTED, CLY_END_PROXY_REFUSED};
    (void)state;
    rules.policy.retry_unknown = true;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        cly_report given = {CLY_END_REPLY, false, 0, -1, "why", NULL, 0};
        given.end = ends[i];
        start(30, 0);
        attempt(0);
        report(given, 1);
        assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
        assert_int_equal(call.error.kind, CLY_NETWORK);
        assert_int_equal(call.error.outcome, CLY_NOT_SENT);
        assert_int_equal(call.error.attempts, 1);
        assert_false(cly_error_is_retryable(&call.error));
    }
}

static void a_setting_to_change_is_no_trait_of_the_next_call(void **state) {
    cly_report untrusted = {CLY_END_UNTRUSTED, false, 0, -1, "why", NULL, 0};
    (void)state;
    start(30, 0);
    attempt(0);
    report(untrusted, 1);
    start(30, 2);
    attempt(2);
    lose(false, 3);
    assert_int_equal(cly_call_next(&call, 3), CLY_STEP_WAIT);
    assert_false(call.error.is_permanent);
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
    cly_report stopped = {CLY_END_CANCELED, true, 0, -1, NULL, NULL, 0};
    (void)state;
    start(5, 0);
    attempt(0);
    cly_call_cancel(&call, 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_WAIT);
    report(stopped, 2);
    assert_int_equal(cly_call_next(&call, 2), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_CANCELED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
}

/* One that was stopped in the middle of a reply's body: the status would allow
 * another attempt, and the caller has said that there is to be none. */
static void a_canceled_attempt_is_the_last_whatever_its_status(void **state) {
    static const int statuses[] = {0, 200, 301, 400, 429, 500, 503, 600};
    (void)state;
    rules.policy.retry_unknown = true;
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        cly_report stopped = {CLY_END_CANCELED, true, statuses[i], 0, NULL, NULL, 0};
        start(30, 0);
        attempt(0);
        report(stopped, 1);
        if (cly_call_next(&call, 1) != CLY_STEP_DONE) fail_msg("status %d: goes on", statuses[i]);
    }
}

static void a_report_that_nobody_waits_for_is_ignored(void **state) {
    (void)state;
    start(5, 0);
    answer(500, "", 0);
    assert_int_equal(call.status, 0);
    attempt(0);
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
    attempt(0);
    answer(401, "{\"message\":\"no\",\"code\":\"c\"}", 1);
    start(5, 10);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_int_equal(call.status, 0);
    assert_null(cly_response_text(&call.response, CLY_TEXT_CODE));
    assert_int_equal(cly_call_next(&call, 10), CLY_STEP_SEND);
    cly_call_sent(&call);
    assert_int_equal(call.attempts, 1);
}

static void the_key_is_masked_in_all_that_is_kept(void **state) {
    (void)state;
    start(5, 0);
    attempt(0);
    answer(401, "{\"message\":\"bad key!\",\"userTitle\":\"key\"}", 1);
    assert_string_equal(call.error.message, "bad ***!");
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_USER_TITLE), "***");
}

/* ---- more than one attempt ---- */

static void a_429_waits_as_long_as_it_says_and_then_succeeds(void **state) {
    (void)state;
    start(30, 100);
    attempt(100);
    answer_after(429, "{\"message\":\"slowly\"}", 2, 101);
    assert_true(call.decision.again && call.decision.delay == 2);
    assert_int_equal(call.error.kind, CLY_RATE_LIMITED); /* how the attempt ended */
    assert_int_equal(call.status, 429);
    assert_int_equal(cly_call_next(&call, 101), CLY_STEP_WAIT);
    assert_int_equal(cly_call_next(&call, 102.9), CLY_STEP_WAIT);
    assert_true(call.wait_until == 103);
    attempt(103);
    assert_int_equal(call.error.kind, CLY_OK);
    answer(201, "{\"id\":\"a\"}", 104);
    assert_int_equal(cly_call_next(&call, 104), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_int_equal(call.attempts, 2);
    assert_int_equal(call.error.attempts, 2);
    assert_int_equal(call.status, 201);
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_ID), "a");
    assert_null(cly_response_text(&call.response, CLY_TEXT_MESSAGE)); /* of the attempt before */
    assert_true(call.ended_at == 104);
}

static void a_429_to_the_last_attempt_is_not_sent(void **state) {
    (void)state;
    start(30, 0);
    for (int i = 0; i < 3; i++) {
        attempt(i);
        answer_after(429, "", 0, i);
    }
    assert_int_equal(cly_call_next(&call, 3), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_RATE_LIMITED);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_int_equal(call.error.attempts, 3);
    assert_string_equal(call.decision.reason, "max_attempts");
}

static void what_may_have_arrived_is_not_repeated(void **state) {
    (void)state;
    start(30, 0);
    attempt(0);
    lose(true, 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
    assert_int_equal(call.attempts, 1);
    assert_string_equal(call.decision.reason, "it may have arrived");
}

/* With retry_unknown the attempts before the last are in doubt for good: a
 * refusal of the repetition says nothing about them. */
static void a_doubt_outlives_every_later_attempt(void **state) {
    static const struct {
        const char *description;
        int status; /* of the second attempt; 0: nothing left this machine */
        cly_kind kind;
    } seconds[] = {
        {"then rejected", 400, CLY_REJECTED},
        {"then unauthorised", 401, CLY_AUTH},
        {"then redirected", 301, CLY_PROTOCOL},
        {"then a failing server that is not asked again", 501, CLY_SERVER},
        {"then too many", 429, CLY_RATE_LIMITED},
        {"then not reached", 0, CLY_NETWORK},
    };
    (void)state;
    rules.policy.retry_unknown = true;
    rules.policy.max_attempts = 2;
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        start(30, 0);
        attempt(0);
        lose(true, 1);
        attempt(5);
        if (seconds[i].status)
            answer(seconds[i].status, "", 6);
        else
            lose(false, 6);
        check_case(cly_call_next(&call, 6) == CLY_STEP_DONE, seconds[i].description);
        check_case(call.error.kind == seconds[i].kind, seconds[i].description);
        check_case(call.error.outcome == CLY_UNKNOWN, seconds[i].description);
        check_case(!cly_error_is_retryable(&call.error), seconds[i].description);
        check_case(call.error.status == seconds[i].status, seconds[i].description);
        check_case(call.error.attempts == 2, seconds[i].description);
        check_case_text(call.error.hint, cly_kind_hint(CLY_NETWORK, CLY_UNKNOWN), seconds[i].description);
    }
}

static void start_operation(const char *name) {
    cly_call_begin(&call, cly_operation_find(name, strlen(name)), (cly_batch){0, 0}, 30, 0);
}

/* RFC 9110, section 9.2.2. */
static void what_is_not_there_to_be_deleted_again_is_deleted(void **state) {
    static const int gone[] = {404, 410};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(gone); i++) {
        start_operation("delete_webhook");
        attempt(0);
        lose(true, 1);
        attempt(5);
        answer(gone[i], "{\"message\":\"no such webhook\",\"type\":\"ERROR_TYPE_INVALID_REQUEST\"}", 6);
        assert_int_equal(cly_call_next(&call, 6), CLY_STEP_DONE);
        assert_int_equal(call.error.kind, CLY_OK);
        assert_int_equal(call.attempts, 2);
        assert_int_equal(call.status, gone[i]);
    }
}

/* A router, a gateway, another business. */
static void what_others_do_not_find_is_not_deleted(void **state) {
    static const char *const bodies[] = {"",
                                         "<html>no such route</html>",
                                         "{}",
                                         "[]",
                                         "\"no\"",
                                         "{\"error\":\"Not Found\"}",
                                         "{\"message\":\"no Route matched with those values\"}",
                                         "{\"code\":5,\"message\":\"Not Found\",\"details\":[]}",
                                         "{\"message\":\"no such",
                                         "{\"message\":\"x\",\"code\":\"ERROR_CODE_BUSINESS_NOT_FOUND\"}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        start_operation("delete_webhook");
        attempt(0);
        lose(true, 1);
        attempt(5);
        answer(404, bodies[i], 6);
        check_case(call.error.kind == CLY_REJECTED && call.error.outcome == CLY_UNKNOWN, bodies[i]);
    }
}

/* The answer may go on to say something else. */
static void a_404_that_was_cut_is_no_deletion(void **state) {
    cly_report cut = {CLY_END_LOST, true, 404, -1, "why", "{\"message\":\"no such webhook\"}", 29};
    (void)state;
    start_operation("delete_webhook");
    attempt(0);
    lose(true, 1);
    attempt(5);
    report(cut, 6);
    assert_int_not_equal(call.error.kind, CLY_OK);
}

static void what_was_never_there_is_not_deleted(void **state) {
    (void)state;
    start_operation("delete_webhook");
    attempt(0);
    lose(false, 1); /* nothing left this machine */
    attempt(5);
    answer(404, "", 6);
    assert_int_equal(call.error.kind, CLY_REJECTED);
    assert_int_equal(call.error.outcome, CLY_REFUSED);
    start_operation("delete_webhook");
    attempt(0);
    lose(true, 1);
    attempt(5);
    answer(409, "", 6);
    assert_int_equal(call.error.kind, CLY_REJECTED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
    start_operation("update_webhook");
    attempt(0);
    lose(true, 1);
    attempt(5);
    answer(404, "", 6);
    assert_int_equal(call.error.kind, CLY_REJECTED);
}

/* It has no effect that could be in doubt: the refusal of the second attempt stands. */
static void a_lost_answer_of_a_call_that_only_reads_is_no_doubt(void **state) {
    static const char *const readers[] = {"get_asset", "list_templates" /* a POST */};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(readers); i++) {
        start_operation(readers[i]);
        attempt(0);
        lose(true, 1);
        attempt(5);
        answer(404, "", 6);
        assert_int_equal(call.error.kind, CLY_REJECTED);
        assert_int_equal(call.error.outcome, CLY_REFUSED);
    }
}

static void a_success_ends_every_doubt(void **state) {
    (void)state;
    rules.policy.retry_unknown = true;
    start(30, 0);
    attempt(0);
    answer(503, "", 1);
    attempt(5);
    answer(200, "{\"id\":\"a\"}", 6);
    assert_int_equal(cly_call_next(&call, 6), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_OK);
}

/* ---- campaigns ---- */

/* Whoever was accepted would be sent it twice. That the client was asked for at least
 * once changes nothing: an answer came. */
static void a_reply_about_campaigns_is_never_asked_for_again(void **state) {
    static const struct {
        const char *reply;
        cly_outcome outcome;
    } replies[] = {
        {"{\"data\":[{\"acceptedCount\":1,\"rejectedCount\":1}]}", CLY_UNKNOWN},
        {"{\"data\":[{\"acceptedCount\":1}]}", CLY_UNKNOWN},
        {"{\"data\":[{\"acceptedCount\":3}]}", CLY_UNKNOWN},
        {"{\"data\":[{\"acceptedCount\":2,\"error\":\"x\"}]}", CLY_UNKNOWN},
        {"{\"data\":[{\"acceptedCount\":2}],\"error\":\"x\"}", CLY_UNKNOWN},
        {"{\"data\":[{\"rejectedCount\":2}]}", CLY_REFUSED},
        {"{\"data\":[{\"error\":\"x\"}]}", CLY_REFUSED},
        {"{\"data\":[]}", CLY_UNKNOWN},
        {"{}", CLY_UNKNOWN},
        {"", CLY_UNKNOWN},
        {"<p>", CLY_UNKNOWN},
    };
    (void)state;
    rules.policy.retry_unknown = true;
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        start_campaigns(2);
        attempt(0);
        answer(200, replies[i].reply, 1);
        check_case(cly_call_next(&call, 1) == CLY_STEP_DONE, replies[i].reply);
        check_case(call.error.kind == CLY_REJECTED || call.error.kind == CLY_PROTOCOL, replies[i].reply);
        check_case(call.error.outcome == replies[i].outcome, replies[i].reply);
        check_case(call.error.status == 200 && call.error.attempts == 1, replies[i].reply);
        check_case_text(call.decision.reason, "no repetition helps", replies[i].reply);
    }
}

static void campaigns_that_account_for_all_are_a_success(void **state) {
    (void)state;
    start_campaigns(2);
    attempt(0);
    answer(200, "{\"data\":[{\"acceptedCount\":1},{\"acceptedCount\":\"1\"}]}", 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_int_equal(call.response.sendouts.count, 2);
}

/* Those of the first attempt may have been accepted, whatever the second says. */
static void a_doubt_outlives_a_refusal_of_all_entries(void **state) {
    (void)state;
    rules.policy.retry_unknown = true;
    start_campaigns(2);
    attempt(0);
    lose(true, 1);
    attempt(5);
    answer(200, "{\"data\":[{\"rejectedCount\":2}]}", 6);
    assert_int_equal(cly_call_next(&call, 6), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_REJECTED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
}

/* What was read of one reply must not be taken for another's. */
static void a_used_call_remembers_no_sendouts(void **state) {
    (void)state;
    start_campaigns(2);
    attempt(0);
    answer(200, "{\"data\":[{\"acceptedCount\":1,\"error\":\"x\"}]}", 1);
    assert_int_equal(call.response.sendouts.count, 1);
    start(30, 10);
    assert_int_equal(call.batch.entries, 0);
    assert_int_equal(call.response.sendouts.count, 0);
    attempt(10);
    answer(400, "{\"data\":[{\"acceptedCount\":1}]}", 11);
    assert_int_equal(call.response.sendouts.count, 0);
}

/* An error about campaigns has what its sendouts say, and nothing of what a message's
 * reply would hold. */
static void of_a_reply_about_campaigns_the_first_error_is_kept(void **state) {
    (void)state;
    start_campaigns(2);
    attempt(0);
    answer(
        200,
        "{\"code\":\"c\",\"userMessage\":\"no\",\"data\":[{\"error\":\"bad key!\"},{\"error\":\"worse\"}]}",
        1);
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_USER_MESSAGE), "bad ***!");
    assert_null(cly_response_text(&call.response, CLY_TEXT_CODE));
    assert_null(cly_response_text(&call.response, CLY_TEXT_BODY));
    start_campaigns(2);
    attempt(0);
    answer(200, "{\"code\":\"c\",\"note\":\"key\"}", 1);
    assert_null(cly_response_text(&call.response, CLY_TEXT_CODE));
    assert_string_equal(cly_response_text(&call.response, CLY_TEXT_BODY),
                        "{\"code\":\"c\",\"note\":\"***\"}");
}

/* ---- time and cancels ---- */

/* The limiter may hold an attempt back until nothing is left of the budget. */
static void time_runs_out_between_attempts(void **state) {
    (void)state;
    start(5, 0);
    attempt(0);
    answer_after(429, "", 1, 1);
    assert_int_equal(cly_call_next(&call, 2), CLY_STEP_SEND);
    assert_int_equal(cly_call_next(&call, 5), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_TIMEOUT);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_int_equal(call.error.attempts, 1);
    assert_int_equal(call.error.status, 429);
    assert_string_equal(call.error.message, "time ran out before the next attempt");
    assert_true(call.ended_at == 5);
}

static void time_that_runs_out_after_a_doubt_is_unknown(void **state) {
    (void)state;
    rules.policy.retry_unknown = true;
    start(5, 0);
    attempt(0);
    lose(true, 1);
    assert_int_equal(cly_call_next(&call, 5), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_TIMEOUT);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
}

static void a_delay_beyond_the_budget_ends_the_call_at_once(void **state) {
    (void)state;
    start(5, 0);
    attempt(0);
    answer_after(429, "", 4, 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_RATE_LIMITED);
    assert_true(call.error.retry_after == 4);
    assert_string_equal(call.decision.reason, "no time left");
}

static void a_cancel_between_attempts_ends_it(void **state) {
    (void)state;
    start(30, 0);
    attempt(0);
    answer_after(429, "", 5, 1);
    cly_call_cancel(&call, 2);
    assert_int_equal(cly_call_next(&call, 20), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_CANCELED);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_int_equal(call.error.attempts, 1);
    assert_string_equal(call.error.message, "canceled before the next attempt");
    assert_true(call.ended_at == 2);
}

static void a_cancel_after_a_doubt_is_unknown(void **state) {
    (void)state;
    rules.policy.retry_unknown = true;
    start(30, 0);
    attempt(0);
    answer(502, "", 1);
    cly_call_cancel(&call, 1);
    assert_int_equal(call.error.kind, CLY_CANCELED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
}

/* A call that was in doubt must not cast it on the next that uses its place. */
static void a_used_call_has_no_doubts(void **state) {
    (void)state;
    start(30, 0);
    attempt(0);
    lose(true, 1);
    start(30, 10);
    attempt(10);
    answer(400, "", 11);
    assert_int_equal(call.error.outcome, CLY_REFUSED);
    assert_int_equal(call.error.attempts, 1);
}

static void retries_cost_and_successes_pay(void **state) {
    (void)state;
    start(30, 0);
    attempt(0);
    lose(false, 0);
    assert_true(rules.quota.tokens == CLY_RETRY_QUOTA - CLY_RETRY_COST);
    attempt(10);
    answer(200, "{\"id\":\"a\"}", 11);
    assert_true(rules.quota.tokens == CLY_RETRY_QUOTA);
    rules.quota.tokens = 0;
    start(30, 20);
    attempt(20);
    lose(false, 20);
    assert_int_equal(cly_call_next(&call, 20), CLY_STEP_DONE);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_string_equal(call.decision.reason, "retry quota used up");
}

/* ---- attempts that were not begun ---- */

static void a_withdrawn_attempt_was_none(void **state) {
    (void)state;
    start(30, 0);
    for (int i = 0; i < 10; i++) {
        attempt(i);
        cly_call_withdraw(&call);
        assert_int_equal(cly_call_next(&call, i), CLY_STEP_SEND); /* at once */
        assert_int_equal(call.attempts, 0);
    }
    attempt(10);
    answer(200, "{\"id\":\"a\"}", 11);
    assert_int_equal(call.error.kind, CLY_OK);
    assert_int_equal(call.attempts, 1);
    assert_true(rules.quota.tokens == CLY_RETRY_QUOTA);
}

static void a_withdrawn_attempt_leaves_the_others(void **state) {
    (void)state;
    rules.policy.retry_unknown = true;
    start(30, 0);
    attempt(0);
    lose(true, 0);
    attempt(10);
    cly_call_withdraw(&call);
    cly_call_cancel(&call, 11);
    assert_int_equal(call.error.kind, CLY_CANCELED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN); /* the first may have arrived */
    assert_int_equal(call.error.attempts, 1);
}

static void a_withdrawn_attempt_can_be_too_late_for_another(void **state) {
    (void)state;
    start(5, 0);
    attempt(4);
    cly_call_withdraw(&call);
    assert_int_equal(cly_call_next(&call, 5), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_TIMEOUT);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_int_equal(call.error.attempts, 0);
}

static void only_an_attempt_can_be_withdrawn(void **state) {
    (void)state;
    start(5, 0);
    cly_call_withdraw(&call);
    assert_int_equal(call.attempts, 0);
    attempt(0);
    answer(400, "{}", 1);
    cly_call_withdraw(&call);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    assert_int_equal(call.attempts, 1);
}

/* ---- an outage ---- */

static void in_an_outage_a_call_has_its_whole_time(void **state) {
    (void)state;
    rules.is_outage = true;
    start(30, 0);
    for (int second = 0; second < 30; second++) {
        attempt(second);
        lose(false, second);
    }
    assert_int_equal(cly_call_next(&call, 30), CLY_STEP_DONE);
    assert_int_equal(call.error.kind, CLY_TIMEOUT);
    assert_int_equal(call.error.outcome, CLY_NOT_SENT);
    assert_int_equal(call.error.attempts, 30);
    assert_true(rules.quota.tokens == CLY_RETRY_QUOTA);
}

/* Those that did not reach the API do not count. */
static void after_an_outage_attempts_have_their_limit_again(void **state) {
    (void)state;
    rules.policy.max_attempts = 3;
    rules.is_outage = true;
    start(30, 0);
    for (int i = 0; i < 5; i++) {
        attempt(i);
        lose(false, i);
    }
    rules.is_outage = false;
    for (int second = 6; second < 8; second++) {
        attempt(second);
        lose(false, second);
        assert_true(call.decision.again);
    }
    attempt(9);
    lose(false, 9);
    assert_int_equal(cly_call_next(&call, 9), CLY_STEP_DONE);
    assert_string_equal(call.decision.reason, "max_attempts");
    assert_int_equal(call.error.attempts, 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_call_sends_waits_and_is_done),
        TEST(send_is_said_until_it_is_sent),
        TEST(a_refusal_is_final),
        TEST(a_connection_that_a_setting_prevents_is_tried_once),
        TEST(a_setting_to_change_is_no_trait_of_the_next_call),
        TEST(without_time_nothing_is_sent),
        TEST(a_cancel_before_the_first_attempt_ends_it),
        TEST(a_cancel_during_an_attempt_waits_for_the_report),
        TEST(a_canceled_attempt_is_the_last_whatever_its_status),
        TEST(a_report_that_nobody_waits_for_is_ignored),
        TEST(a_used_call_remembers_nothing),
        TEST(the_key_is_masked_in_all_that_is_kept),
        TEST(a_429_waits_as_long_as_it_says_and_then_succeeds),
        TEST(a_429_to_the_last_attempt_is_not_sent),
        TEST(what_may_have_arrived_is_not_repeated),
        TEST(a_doubt_outlives_every_later_attempt),
        TEST(a_success_ends_every_doubt),
        TEST(what_is_not_there_to_be_deleted_again_is_deleted),
        TEST(what_others_do_not_find_is_not_deleted),
        TEST(a_404_that_was_cut_is_no_deletion),
        TEST(what_was_never_there_is_not_deleted),
        TEST(a_lost_answer_of_a_call_that_only_reads_is_no_doubt),
        TEST(a_reply_about_campaigns_is_never_asked_for_again),
        TEST(campaigns_that_account_for_all_are_a_success),
        TEST(a_doubt_outlives_a_refusal_of_all_entries),
        TEST(a_used_call_remembers_no_sendouts),
        TEST(of_a_reply_about_campaigns_the_first_error_is_kept),
        TEST(time_runs_out_between_attempts),
        TEST(time_that_runs_out_after_a_doubt_is_unknown),
        TEST(a_delay_beyond_the_budget_ends_the_call_at_once),
        TEST(a_cancel_between_attempts_ends_it),
        TEST(a_cancel_after_a_doubt_is_unknown),
        TEST(a_used_call_has_no_doubts),
        TEST(retries_cost_and_successes_pay),
        TEST(a_withdrawn_attempt_was_none),
        TEST(a_withdrawn_attempt_leaves_the_others),
        TEST(a_withdrawn_attempt_can_be_too_late_for_another),
        TEST(only_an_attempt_can_be_withdrawn),
        TEST(in_an_outage_a_call_has_its_whole_time),
        TEST(after_an_outage_attempts_have_their_limit_again),
    };
    return cmocka_run_group_tests_name("core/call/call", tests, NULL, NULL);
}
