/* What is repeated, as one table of cases. */
#include "core/call/retry.h"

#include "spec/core/test.h"
#include <string.h>

enum { ONCE_MORE = true, NO = false };

typedef struct retry_case {
    const char *description;
    cly_kind kind;
    cly_outcome outcome;
    int status;
    bool retry_unknown, is_idempotent;
    bool again;
    const char *reason;
} retry_case;

static const retry_case cases[] = {
    {"name, connection or TLS failed", CLY_NETWORK, CLY_NOT_SENT, 0, false, false, ONCE_MORE,
     "proved not sent"},
    {"the same, when doubts are repeated too", CLY_NETWORK, CLY_NOT_SENT, 0, true, false, ONCE_MORE,
     "proved not sent"},
    {"the same, of an idempotent operation", CLY_NETWORK, CLY_NOT_SENT, 0, false, true, ONCE_MORE,
     "proved not sent"},
    {"429", CLY_RATE_LIMITED, CLY_NOT_SENT, 429, false, false, ONCE_MORE, "proved not sent"},
    {"lost after bytes left", CLY_NETWORK, CLY_UNKNOWN, 0, false, false, NO, "it may have arrived"},
    {"lost after bytes left, at least once", CLY_NETWORK, CLY_UNKNOWN, 0, true, false, ONCE_MORE,
     "at least once was asked for"},
    {"lost after bytes left, idempotent", CLY_NETWORK, CLY_UNKNOWN, 0, false, true, ONCE_MORE, "idempotent"},
    {"lost after bytes left, both", CLY_NETWORK, CLY_UNKNOWN, 0, true, true, ONCE_MORE, "idempotent"},
    {"500", CLY_SERVER, CLY_UNKNOWN, 500, false, false, NO, "it may have arrived"},
    {"500, at least once", CLY_SERVER, CLY_UNKNOWN, 500, true, false, ONCE_MORE,
     "at least once was asked for"},
    {"500, idempotent", CLY_SERVER, CLY_UNKNOWN, 500, false, true, ONCE_MORE, "idempotent"},
    {"501 will be 501 again", CLY_SERVER, CLY_UNKNOWN, 501, true, true, NO, "no repetition helps"},
    {"502", CLY_SERVER, CLY_UNKNOWN, 502, false, false, NO, "it may have arrived"},
    {"502, at least once", CLY_SERVER, CLY_UNKNOWN, 502, true, false, ONCE_MORE,
     "at least once was asked for"},
    {"502, idempotent", CLY_SERVER, CLY_UNKNOWN, 502, false, true, ONCE_MORE, "idempotent"},
    {"503", CLY_SERVER, CLY_UNKNOWN, 503, false, false, NO, "it may have arrived"},
    {"503, at least once", CLY_SERVER, CLY_UNKNOWN, 503, true, false, ONCE_MORE,
     "at least once was asked for"},
    {"503, idempotent", CLY_SERVER, CLY_UNKNOWN, 503, false, true, ONCE_MORE, "idempotent"},
    {"504", CLY_SERVER, CLY_UNKNOWN, 504, false, false, NO, "it may have arrived"},
    {"504, at least once", CLY_SERVER, CLY_UNKNOWN, 504, true, false, ONCE_MORE,
     "at least once was asked for"},
    {"504, idempotent", CLY_SERVER, CLY_UNKNOWN, 504, false, true, ONCE_MORE, "idempotent"},
    {"505 will be 505 again", CLY_SERVER, CLY_UNKNOWN, 505, true, true, NO, "no repetition helps"},
    {"400 is final", CLY_REJECTED, CLY_REFUSED, 400, true, true, NO, "no repetition helps"},
    {"404 is final", CLY_REJECTED, CLY_REFUSED, 404, true, true, NO, "no repetition helps"},
    {"408 is final", CLY_REJECTED, CLY_REFUSED, 408, true, true, NO, "no repetition helps"},
    {"409 is final", CLY_REJECTED, CLY_REFUSED, 409, true, true, NO, "no repetition helps"},
    {"413 is final", CLY_REJECTED, CLY_REFUSED, 413, true, true, NO, "no repetition helps"},
    {"the 24-hour window is over, which is no timeout", CLY_REJECTED, CLY_REFUSED, 400, true, true, NO,
     "no repetition helps"},
    {"401 is final", CLY_AUTH, CLY_REFUSED, 401, true, true, NO, "no repetition helps"},
    {"403 is final", CLY_AUTH, CLY_REFUSED, 403, true, true, NO, "no repetition helps"},
    {"a redirect is not followed", CLY_PROTOCOL, CLY_REFUSED, 301, true, true, NO, "no repetition helps"},
    {"2xx without an id was accepted, if anything", CLY_PROTOCOL, CLY_UNKNOWN, 200, true, true, NO,
     "no repetition helps"},
    {"a status that no server has", CLY_PROTOCOL, CLY_UNKNOWN, 600, true, true, NO, "no repetition helps"},
    {"the budget is used up, before bytes left", CLY_TIMEOUT, CLY_NOT_SENT, 0, true, true, NO,
     "no repetition helps"},
    {"the budget is used up, after bytes left", CLY_TIMEOUT, CLY_UNKNOWN, 0, true, true, NO,
     "no repetition helps"},
    {"canceled before bytes left", CLY_CANCELED, CLY_NOT_SENT, 0, true, true, NO, "no repetition helps"},
    {"canceled after bytes left", CLY_CANCELED, CLY_UNKNOWN, 0, true, true, NO, "no repetition helps"},
    {"a local check refused it", CLY_ARGUMENT, CLY_NOT_SENT, 0, true, true, NO, "no repetition helps"},
    {"no memory here", CLY_OVERLOADED, CLY_NOT_SENT, 0, true, true, NO, "no repetition helps"},
    {"the client is closed", CLY_CLOSED, CLY_NOT_SENT, 0, true, true, NO, "no repetition helps"},
    {"a bad option", CLY_CONFIG, CLY_NOT_SENT, 0, true, true, NO, "no repetition helps"},
};

static cly_retry_policy policy;
static cly_retry_quota quota;
static cly_error error;
static cly_retry_question question;

/* A 429 at the first of three attempts with a minute left. */
static int begin(void **state) {
    (void)state;
    policy.max_attempts = 3;
    policy.retry_unknown = false;
    quota = cly_retry_quota_make();
    cly_error_clear(&error);
    error.kind = CLY_RATE_LIMITED;
    error.outcome = CLY_NOT_SENT;
    error.status = 429;
    question.error = &error;
    question.attempts = 1;
    question.is_idempotent = question.is_outage = false;
    question.time_left = 60;
    question.chance = 0.5;
    return 0;
}

static cly_retry_answer decide(void) {
    return cly_retry_decide(&policy, &quota, &question);
}

static cly_retry_answer decide_case(const retry_case *given) {
    policy.retry_unknown = given->retry_unknown;
    question.is_idempotent = given->is_idempotent;
    error.kind = given->kind;
    error.outcome = given->outcome;
    error.status = given->status;
    return decide();
}

static void only_what_cannot_double_is_repeated(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cly_retry_answer answer = decide_case(&cases[i]);
        check_case(answer.again == cases[i].again, cases[i].description);
        check_case_text(answer.reason, cases[i].reason, cases[i].description);
    }
}

/* The promise in one line: whatever the kind, the status and the words, a call
 * that is not idempotent is repeated unasked only when it is proved not sent. */
static void nothing_else_is_repeated_by_itself(void **state) {
    (void)state;
    for (int kind = CLY_OK + 1; kind < CLY_KIND_COUNT; kind++) {
        for (int outcome = CLY_NOT_SENT; outcome <= CLY_UNKNOWN; outcome++) {
            for (int status = 0; status <= 700; status++) {
                retry_case given = {"", (cly_kind)kind, (cly_outcome)outcome, status, false, false, NO, ""};
                bool may = outcome == CLY_NOT_SENT && (kind == CLY_NETWORK || kind == CLY_RATE_LIMITED);
                quota = cly_retry_quota_make();
                if (decide_case(&given).again != may)
                    fail_msg("%s, %s, %d", cly_kind_name(given.kind), cly_outcome_name(given.outcome),
                             status);
            }
        }
    }
}

/* A certificate that cannot be verified, a proxy that refuses. */
static void what_lasts_until_a_setting_is_changed_is_never_repeated(void **state) {
    (void)state;
    for (int again = 0; again < 4; again++) {
        retry_case given = {"", CLY_NETWORK, CLY_NOT_SENT, 0, again & 1, again & 2, NO, ""};
        error.is_permanent = true;
        assert_false(decide_case(&given).again);
        assert_string_equal(decide_case(&given).reason, "no repetition helps");
        assert_true(quota.tokens == CLY_RETRY_QUOTA);
    }
}

static void what_was_refused_is_never_repeated(void **state) {
    (void)state;
    for (int kind = CLY_OK + 1; kind < CLY_KIND_COUNT; kind++) {
        for (int status = 0; status <= 700; status++) {
            retry_case given = {"", (cly_kind)kind, CLY_REFUSED, status, true, true, NO, ""};
            if (decide_case(&given).again) fail_msg("%s, %d", cly_kind_name(given.kind), status);
        }
    }
}

/* ---- how often, and when ---- */

static void attempts_have_a_limit(void **state) {
    static const struct {
        const char *description;
        int attempts, max_attempts;
        bool again;
    } limits[] = {
        {"the first of one", 1, 1, NO},          {"the first of two", 1, 2, ONCE_MORE},
        {"the second of two", 2, 2, NO},         {"the second of three", 2, 3, ONCE_MORE},
        {"the third of three", 3, 3, NO},        {"one too many already", 4, 3, NO},
        {"the 99th of 100", 99, 100, ONCE_MORE}, {"the last of 100", 100, 100, NO},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        cly_retry_answer answer;
        question.attempts = limits[i].attempts;
        policy.max_attempts = limits[i].max_attempts;
        answer = decide();
        check_case(answer.again == limits[i].again, limits[i].description);
        if (!answer.again) check_case_text(answer.reason, "max_attempts", limits[i].description);
    }
}

static void the_server_says_when(void **state) {
    static const struct {
        const char *description;
        double retry_after, time_left;
        bool again;
    } waits[] = {
        {"at once", 0, 60, ONCE_MORE},
        {"in two seconds", 2, 60, ONCE_MORE},
        {"as long as any backoff, and longer", 59, 60, ONCE_MORE},
        {"exactly when time is up", 60, 60, NO},
        {"after that", 61, 60, NO},
        {"in a year", 31536000, 60, NO},
        {"at once, and time is up", 0, 0, NO},
        {"at once, and time was up before", 0, -1, NO},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        cly_retry_answer answer;
        error.retry_after = waits[i].retry_after;
        question.time_left = waits[i].time_left;
        answer = decide();
        check_case(answer.again == waits[i].again, waits[i].description);
        if (answer.again)
            check_case(answer.delay == waits[i].retry_after, waits[i].description);
        else
            check_case_text(answer.reason, "no time left", waits[i].description);
    }
}

/* Full jitter under a ceiling that doubles, and stops at 20 seconds. */
static void backoff_lies_between_nothing_and_its_ceiling(void **state) {
    static const double ceilings[] = {0.5, 1, 2, 4, 8, 16, 20, 20, 20, 20};
    (void)state;
    policy.max_attempts = 100;
    for (int i = 0; i < (int)COUNT_OF(ceilings); i++) {
        double longest;
        question.attempts = i + 1;
        question.chance = 0;
        assert_true(decide().delay == 0);
        question.chance = 0.999;
        longest = decide().delay;
        if (longest >= ceilings[i] || longest < ceilings[i] * 0.998)
            fail_msg("attempt %d: %g, not just under %g", i + 1, longest, ceilings[i]);
        question.chance = 0.5;
        assert_true(decide().delay == ceilings[i] / 2);
    }
}

static void a_backoff_beyond_the_budget_is_none(void **state) {
    (void)state;
    question.chance = 0.999;
    question.time_left = 0.4;
    assert_false(decide().again);
    question.chance = 0.5;
    assert_true(decide().again);
}

/* ---- the quota ---- */

static void an_outage_is_not_multiplied(void **state) {
    int retries = 0;
    (void)state;
    while (decide().again) retries++;
    assert_int_equal(retries, CLY_RETRY_QUOTA / CLY_RETRY_COST);
    assert_string_equal(decide().reason, "retry quota used up");
}

/* ---- an outage ---- */

static void begin_outage(void) {
    question.is_outage = true;
    error.kind = CLY_NETWORK;
    error.status = 0;
}

static void in_an_outage_attempts_have_no_limit(void **state) {
    (void)state;
    begin_outage();
    for (question.attempts = 1; question.attempts < 10000; question.attempts++) {
        cly_retry_answer answer = decide();
        assert_true(answer.again);
        assert_true(answer.delay == 0); /* the engine delays all calls together */
        assert_string_equal(answer.reason, "the API cannot be reached");
    }
}

static void an_outage_takes_nothing_from_the_quota(void **state) {
    (void)state;
    begin_outage();
    quota.tokens = 0;
    for (int i = 0; i < 1000; i++) assert_true(decide().again);
    assert_true(quota.tokens == 0);
    question.is_outage = false;
    assert_false(decide().again);
}

/* With an outage or without one: no other end becomes one that is repeated. */
static void an_outage_repeats_only_what_did_not_reach_the_api(void **state) {
    (void)state;
    question.is_outage = true;
    question.attempts = policy.max_attempts;
    for (int kind = CLY_OK + 1; kind < CLY_KIND_COUNT; kind++) {
        for (int outcome = CLY_NOT_SENT; outcome <= CLY_UNKNOWN; outcome++) {
            bool may = kind == CLY_NETWORK && outcome == CLY_NOT_SENT;
            error.kind = (cly_kind)kind;
            error.outcome = (cly_outcome)outcome;
            if (decide().again != may)
                fail_msg("%s, %s", cly_kind_name(error.kind), cly_outcome_name(error.outcome));
        }
    }
}

static void a_setting_to_change_is_no_outage(void **state) {
    (void)state;
    begin_outage();
    error.is_permanent = true;
    assert_false(decide().again);
}

static void a_no_costs_nothing(void **state) {
    (void)state;
    question.attempts = 3;
    assert_false(decide().again);
    question.attempts = 1;
    question.time_left = 0;
    assert_false(decide().again);
    question.time_left = 60;
    error.outcome = CLY_UNKNOWN;
    assert_false(decide().again);
    assert_true(quota.tokens == CLY_RETRY_QUOTA);
}

static void success_fills_it_again(void **state) {
    (void)state;
    quota.tokens = 0;
    for (int i = 0; i < CLY_RETRY_COST - 1; i++) cly_retry_succeeded(&quota, 1);
    assert_false(decide().again);
    cly_retry_succeeded(&quota, 1);
    assert_true(decide().again);
    assert_false(decide().again);
    cly_retry_succeeded(&quota, 3); /* what its two retries took, and one more */
    assert_true(quota.tokens == 2 * CLY_RETRY_COST + 1);
}

static void it_is_never_more_than_full(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++) cly_retry_succeeded(&quota, 3);
    assert_true(quota.tokens == CLY_RETRY_QUOTA);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_what_cannot_double_is_repeated),
        TEST(nothing_else_is_repeated_by_itself),
        TEST(what_lasts_until_a_setting_is_changed_is_never_repeated),
        TEST(what_was_refused_is_never_repeated),
        TEST(attempts_have_a_limit),
        TEST(the_server_says_when),
        TEST(backoff_lies_between_nothing_and_its_ceiling),
        TEST(a_backoff_beyond_the_budget_is_none),
        TEST(an_outage_is_not_multiplied),
        TEST(in_an_outage_attempts_have_no_limit),
        TEST(an_outage_takes_nothing_from_the_quota),
        TEST(an_outage_repeats_only_what_did_not_reach_the_api),
        TEST(a_setting_to_change_is_no_outage),
        TEST(a_no_costs_nothing),
        TEST(success_fills_it_again),
        TEST(it_is_never_more_than_full),
    };
    return cmocka_run_group_tests_name("core/call/retry", tests, NULL, NULL);
}
