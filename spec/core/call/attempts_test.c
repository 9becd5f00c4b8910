/* Attempts begin and end: the effect on calls, limiters and outages, without network and clock. */
#include "core/call/attempts.h"

#include "spec/core/test.h"
#include <math.h>
#include <string.h>

enum { FLIGHT = 3, MOST = 8 };

static cly_records records;
static cly_attempts attempts;
static cly_pools pools;

static void *open_share(void) {
    return &pools;
}

static void close_share(void *context, cly_pool *pool) {
    (void)context, (void)pool;
}

static int begin(void **state) {
    const cly_pools_options options = {
        .max_connections = MOST, .max_age = 300, .hooks = {open_share, close_share, NULL, NULL}};
    cly_error error;
    (void)state;
    memset(&attempts, 0, sizeof attempts);
    cly_pools_init(&pools, &options);
    if (!cly_records_init(&records, FLIGHT, MOST, MOST, 0)) return -1;
    attempts.records = &records;
    attempts.pools = &pools;
    attempts.rules.policy.max_attempts = 3;
    attempts.rules.quota = cly_retry_quota_make();
    attempts.rules.secret = "a secret key";
    attempts.random = cly_random_make(1);
    return cly_departures_init(&attempts.departures, 1000, false, &error) == CLY_OK ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    cly_departures_clear(&attempts.departures);
    cly_pools_clear(&pools);
    cly_records_clear(&records);
    return 0;
}

static cly_record *submit(double timeout, double now) {
    cly_submission submission = {.operation = cly_operation_find("send_template", 13),
                                 .method = "POST",
                                 .url = "https://api.test/",
                                 .traceparent = "",
                                 .timeout = timeout,
                                 .submitted_at = now};
    cly_buffer body;
    cly_ticket ticket;
    cly_error error;
    cly_buffer_init(&body, CLY_BODY_MAX);
    submission.body = &body;
    assert_int_equal(cly_records_submit(&records, &ticket, &submission, &error), CLY_OK);
    cly_buffer_clear(&body);
    return cly_records_find(&records, ticket);
}

static cly_start start_of(cly_record *record, double now) {
    cly_start start;
    cly_ready ready = cly_attempts_ready(&attempts);
    double wait;
    assert_ptr_equal(cly_attempts_next(&attempts, &ready, now, &start, &wait), record);
    assert_int_equal(record->state, CLY_RECORD_RUNNING);
    assert_non_null(start.pool);
    return start;
}

/* An attempt from its start to `report`. */
static void run(cly_record *record, cly_report report, double now) {
    cly_buffer reply;
    cly_attempt attempt = {.record = record, .report = &report, .reply = &reply, .http_version = ""};
    cly_buffer_init(&reply, CLY_REPLY_MAX);
    attempt.start = start_of(record, now);
    attempt.is_issued = report.bytes_left;
    if (attempt.is_issued) cly_attempts_issued(&attempts, record, &attempt.start, now);
    cly_pools_ended(&pools, attempt.start.pool, false, now);
    cly_attempts_ended(&attempts, &attempt, now);
    cly_buffer_clear(&reply);
}

static cly_report slow_down(double seconds) {
    const cly_report report = {CLY_END_REPLY, true, 429, seconds, NULL, "{}", 2};
    return report;
}

/* ---- a 429's pause; design: a known wait that does not fit ends a call at once ---- */

static void check_refused(const cly_record *record, cly_outcome outcome, double retry_after) {
    assert_int_equal(record->state, CLY_RECORD_DONE);
    assert_int_equal(record->call.error.kind, CLY_RATE_LIMITED);
    assert_int_equal(record->call.error.outcome, outcome);
    assert_true(fabs(record->call.error.retry_after - retry_after) < 0.001);
    assert_non_null(record->call.error.hint);
}

static void a_call_that_a_pause_outlasts_ends_at_once(void **state) {
    cly_record *ready, *queued, *patient, *limited = submit(60, 0);
    (void)state;
    ready = submit(5, 0);
    patient = submit(50, 0);
    queued = submit(5, 0);
    assert_int_equal(queued->state, CLY_RECORD_QUEUED);
    run(limited, slow_down(20), 1);
    cly_attempts_advance(&attempts, 2);
    check_refused(ready, CLY_NOT_SENT, 19);
    check_refused(queued, CLY_NOT_SENT, 19);
    assert_int_equal(patient->state, CLY_RECORD_READY);
    assert_int_equal(records.stats.not_sent, 2);
}

/* The pause of a client is a minute at the most, but the error says what the API said. */
static void a_refused_call_is_told_the_servers_word(void **state) {
    cly_record *later;
    (void)state;
    run(submit(30, 0), slow_down(3600), 0);
    later = submit(30, 10);
    cly_attempts_advance(&attempts, 10);
    check_refused(later, CLY_NOT_SENT, 3590);
    later = submit(30, 61);
    cly_attempts_advance(&attempts, 61);
    assert_int_equal(later->state, CLY_RECORD_READY);
}

/* After its pause requests leave again, and a later 429 has the last word. */
static void a_refused_call_is_told_the_last_word(void **state) {
    cly_record *later;
    (void)state;
    run(submit(30, 0), slow_down(3600), 0);
    run(submit(30, 61), slow_down(1), 61);
    later = submit(0.5, 61);
    cly_attempts_advance(&attempts, 61);
    check_refused(later, CLY_NOT_SENT, 1);
}

/* Of replies to requests that left together the longest pause counts. */
static void a_refused_call_is_told_the_longest_of_one_pause(void **state) {
    cly_record *later = submit(5, 0);
    (void)state;
    cly_departures_pause(&attempts.departures, 50, 0);
    cly_departures_pause(&attempts.departures, 10, 1);
    cly_attempts_advance(&attempts, 2);
    check_refused(later, CLY_NOT_SENT, 48);
}

/* Its own time ended it, not the pause. */
static void a_call_whose_time_is_up_in_a_pause_ends_as_late(void **state) {
    cly_record *late = submit(5, 0);
    (void)state;
    cly_departures_pause(&attempts.departures, 20, 0);
    cly_attempts_advance(&attempts, 6);
    assert_int_equal(late->state, CLY_RECORD_DONE);
    assert_int_equal(late->call.error.kind, CLY_TIMEOUT);
}

static void a_call_that_a_pause_does_not_outlast_waits(void **state) {
    cly_record *later;
    double wait;
    cly_start start;
    cly_ready ready;
    (void)state;
    run(submit(30, 0), slow_down(20), 0);
    later = submit(30, 0);
    cly_attempts_advance(&attempts, 0);
    ready = cly_attempts_ready(&attempts);
    assert_null(cly_attempts_next(&attempts, &ready, 0, &start, &wait));
    assert_true(wait > 19.9 && wait <= 20);
    cly_attempts_advance(&attempts, 20);
    start_of(later, 20);
}

/* One that waits for its next attempt may have arrived with the last. */
static void a_refused_call_that_may_have_arrived_is_unknown(void **state) {
    const cly_report lost = {CLY_END_LOST, true, 0, -1, "why", NULL, 0};
    cly_record *doubtful = submit(5, 0), *limited = submit(60, 0);
    (void)state;
    attempts.rules.policy.retry_unknown = true;
    run(doubtful, lost, 0);
    assert_int_equal(doubtful->state, CLY_RECORD_WAITING);
    run(limited, slow_down(20), 0.1);
    cly_attempts_advance(&attempts, 0.1);
    check_refused(doubtful, CLY_UNKNOWN, 20);
}

/* ---- attempts that were not made ---- */

static void a_parked_attempt_does_not_count(void **state) {
    const cly_report parked = {CLY_END_PARKED, false, 0, -1, NULL, NULL, 0};
    cly_record *record = submit(30, 0);
    (void)state;
    run(record, parked, 0);
    assert_int_equal(record->call.attempts, 0);
    assert_int_equal(records.stats.attempts, 0);
    cly_attempts_advance(&attempts, 0);
    assert_int_equal(record->state, CLY_RECORD_READY);
}

/* The caller may free descriptors meanwhile; a second lack ends the call. */
static void a_lack_of_descriptors_is_tried_once_more_and_told(void **state) {
    const cly_report lack = {CLY_END_NO_DESCRIPTOR, false, 0, -1, NULL, NULL, 0};
    cly_record *record = submit(30, 0);
    (void)state;
    run(record, lack, 0);
    assert_true(attempts.is_short_of_descriptors);
    cly_attempts_advance(&attempts, 0);
    assert_int_equal(record->state, CLY_RECORD_WAITING);
    cly_attempts_advance(&attempts, 1);
    run(record, lack, 1);
    assert_int_equal(record->state, CLY_RECORD_DONE);
    assert_int_equal(record->call.error.outcome, CLY_NOT_SENT);
}

/* ---- what is known of the API ---- */

static void a_failed_connection_starts_an_outage_and_a_request_ends_it(void **state) {
    const cly_report unreached = {CLY_END_UNREACHED, false, 0, -1, "refused", NULL, 0};
    cly_record *first = submit(30, 0), *second = submit(30, 0);
    cly_start start;
    (void)state;
    run(first, unreached, 0);
    assert_true(cly_outage_wait(&attempts.outage, 0) > 0);
    start = start_of(second, 1);
    assert_true(start.is_probe);
    cly_attempts_issued(&attempts, second, &start, 1);
    assert_true(cly_outage_wait(&attempts.outage, 1) <= 0);
}

/* A canceled probe says nothing: another is to find out. */
static void a_canceled_probe_lets_another_start(void **state) {
    const cly_report unreached = {CLY_END_UNREACHED, false, 0, -1, "refused", NULL, 0};
    const cly_report canceled = {CLY_END_CANCELED, false, 0, -1, NULL, NULL, 0};
    (void)state;
    run(submit(30, 0), unreached, 0);
    run(submit(30, 0), canceled, 1);
    assert_true(cly_outage_wait(&attempts.outage, 1) <= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_that_a_pause_outlasts_ends_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_call_is_told_the_servers_word, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_call_is_told_the_last_word, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_call_is_told_the_longest_of_one_pause, begin, end),
        cmocka_unit_test_setup_teardown(a_call_whose_time_is_up_in_a_pause_ends_as_late, begin, end),
        cmocka_unit_test_setup_teardown(a_call_that_a_pause_does_not_outlast_waits, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_call_that_may_have_arrived_is_unknown, begin, end),
        cmocka_unit_test_setup_teardown(a_parked_attempt_does_not_count, begin, end),
        cmocka_unit_test_setup_teardown(a_lack_of_descriptors_is_tried_once_more_and_told, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_connection_starts_an_outage_and_a_request_ends_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_canceled_probe_lets_another_start, begin, end),
    };
    return cmocka_run_group_tests_name("core/call/attempts", tests, NULL, NULL);
}
