#include "spec/io/call_support.h"

#include "io/system/clock.h"
#include "spec/core/test.h"
#include <string.h>

cly_submission call_submission(const char *url, double timeout) {
    cly_submission submission = {0};
    submission.operation = cly_operation_find("send_template", 13);
    submission.method = "POST";
    submission.url = url;
    submission.traceparent = "";
    submission.timeout = timeout;
    submission.submitted_at = cly_clock_now();
    return submission;
}

void call_body(cly_submission *submission, cly_buffer *body) {
    cly_buffer_init(body, 1024);
    if (strcmp(submission->method, "POST") == 0) cly_buffer_text(body, "{}");
    submission->body = body;
}

cly_kind call_submit(cly_call_table *calls, cly_submission submission, cly_ticket *ticket, cly_error *error) {
    cly_buffer body;
    cly_kind kind;
    call_body(&submission, &body);
    if (error) cly_error_clear(error);
    kind = cly_call_table_submit(calls, ticket, &submission, error);
    cly_buffer_clear(&body);
    return kind;
}

void call_finish(cly_engine *engine, cly_ticket ticket, double seconds) {
    double until = cly_clock_now() + seconds;
    while (!cly_call_table_is_done(cly_engine_calls(engine), ticket)) {
        if (cly_clock_now() > until) fail_msg("not done after %g seconds", seconds);
        cly_engine_step(engine, 0, 0.05, NULL, 0);
    }
}

cly_result call_result(cly_call_table *calls, cly_ticket ticket) {
    cly_result result;
    assert_true(cly_call_table_result(calls, ticket, &result));
    return result;
}

cly_ticket call_first_done(cly_call_table *calls, unsigned group) {
    cly_result given = {NULL, NULL, NULL};
    cly_ticket ticket = cly_call_table_first_done(calls, group, &given);
    if (ticket == 0) return 0;
    assert_ptr_equal(given.call, call_result(calls, ticket).call);
    assert_ptr_equal(given.reply, call_result(calls, ticket).reply);
    assert_non_null(given.http_version);
    return ticket;
}

cly_stats call_stats(cly_call_table *calls) {
    cly_stats stats = cly_call_table_stats(calls);
    assert_int_equal(stats.calls, stats.succeeded + stats.not_sent + stats.rejected + stats.unknown +
                                      (uint64_t)stats.in_flight);
    assert_true(stats.attempts >= stats.retries);
    return stats;
}
