/* The engine's tickets and slots, against a port that takes connections and
 * never answers; attempts, limits and events, against a small server. What else
 * servers do is the Lua specs' matter. */
#define _DEFAULT_SOURCE /* usleep */
#include "io/engine.h"

#include "io/system/clock.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include "spec/io/child_support.h"
#include "spec/io/clock_support.h"
#include "spec/io/departure_support.h"
#include "spec/io/options_support.h"
#include "spec/io/server_support.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 3 };

static int listener;
static char url[64];
static cly_engine *engine;
static cly_engine_options options;
static server answering;

static cly_call_table *calls(void) {
    return cly_engine_calls(engine);
}

static cly_stats stats(void) {
    return cly_call_table_stats(calls());
}

/* In the thread that makes the steps, as a client without a worker does. */
static void cancel(cly_ticket ticket) {
    cly_call_table_cancel(calls(), ticket);
    cly_engine_end_canceled(engine);
}

static void release(cly_ticket ticket) {
    cly_call_table_release(calls(), ticket);
    cly_engine_end_canceled(engine);
}

/* NULL as long as the call has not ended, too. */
static const cly_call *call_of(cly_ticket ticket) {
    cly_result result;
    return cly_call_table_result(calls(), ticket, &result) ? result.call : NULL;
}

static const cly_buffer *reply_of(cly_ticket ticket) {
    return call_result(calls(), ticket).reply;
}

static bool is_empty(void) {
    for (int i = 0; i < calls()->records.count; i++)
        if (calls()->records.all[i]->state != CLY_RECORD_FREE) return false;
    return stats().in_flight == 0;
}

/* The kernel takes connections into the backlog; nobody looks at them. */
static int listen_silently(void **state) {
    (void)state;
    listener = server_listen(url, sizeof url);
    return listener < 0 ? -1 : 0;
}

static int stop_listening(void **state) {
    (void)state;
    return close(listener);
}

static cly_kind open_engine(void) {
    cly_error error;
    cly_error_clear(&error);
    return cly_engine_new(&engine, &options, &error);
}

static int begin(void **state) {
    (void)state;
    options = options_on_loopback(ROOM, ROOM);
    return open_engine() == CLY_OK ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    cly_engine_free(engine);
    engine = NULL;
    server_stop(&answering);
    return 0;
}

/* For those that want an engine of their own. */
static void reopen(void) {
    cly_engine_free(engine);
    assert_int_equal(open_engine(), CLY_OK);
}

static cly_kind try_submit(const char *where, double timeout, cly_ticket *ticket, cly_error *error) {
    return call_submit(calls(), call_submission(where, timeout), ticket, error);
}

static cly_ticket hand_over(cly_submission submission) {
    cly_ticket ticket = 0;
    assert_int_equal(call_submit(calls(), submission, &ticket, NULL), CLY_OK);
    assert_true(ticket != 0);
    return ticket;
}

static cly_ticket submit_to(const char *where, double timeout) {
    return hand_over(call_submission(where, timeout));
}

static cly_ticket submit(double timeout) {
    return submit_to(url, timeout);
}

static void step_for(double seconds) {
    double until = cly_clock_now() + seconds;
    while (cly_clock_now() < until) cly_engine_step(engine, 0, 0.01, NULL, 0);
}

static void finish(cly_ticket ticket, double seconds) {
    call_finish(engine, ticket, seconds);
}

static const cly_error *error_of(cly_ticket ticket) {
    const cly_call *call = call_of(ticket);
    assert_non_null(call);
    assert_true(cly_call_table_is_done(calls(), ticket));
    return &call->error;
}

static void a_new_engine_has_nothing_to_do(void **state) {
    double before = cly_clock_now();
    (void)state;
    cly_engine_step(engine, 0, 0, NULL, 0);
    assert_true(cly_clock_now() - before < 0.05);
    cly_engine_step(engine, 0, 0.1, NULL, 0); /* only a worker asks an idle one to wait */
    assert_true(cly_clock_now() - before < 1);
    assert_true(is_empty());
    assert_true(cly_records_has_room(&calls()->records));
    assert_int_equal(stats().in_flight, 0);
    assert_true(call_first_done(calls(), 0) == 0);
    assert_false(cly_call_table_is_done(calls(), 0));
    assert_null(call_of(0));
}

static void a_reply_that_never_comes_is_unknown(void **state) {
    cly_ticket ticket = submit(0.3);
    (void)state;
    assert_int_equal(stats().in_flight, 1);
    assert_false(cly_call_table_is_done(calls(), ticket));
    step_for(0.6);
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_int_equal(stats().in_flight, 0);
    assert_true(call_first_done(calls(), 0) == ticket);
}

static void a_port_that_nobody_has_is_not_sent(void **state) {
    cly_ticket ticket;
    (void)state;
    ticket = submit_to("http://127.0.0.1:1/x", 5);
    step_for(0.2);
    assert_int_equal(error_of(ticket)->kind, CLY_NETWORK);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
}

static void a_scheme_that_is_not_wanted_is_not_sent(void **state) {
    static const char *const others[] = {"https://127.0.0.1:1/x", "file:///etc/passwd", "ftp://127.0.0.1/x",
                                         "", "::"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cly_ticket ticket = submit_to(others[i], 5);
        finish(ticket, 3);
        check_case(error_of(ticket)->outcome == CLY_NOT_SENT, others[i]);
        release(ticket);
    }
}

static void no_more_than_max_in_flight_are_taken(void **state) {
    cly_ticket tickets[ROOM], more = 77;
    cly_error error;
    (void)state;
    for (int i = 0; i < ROOM; i++) tickets[i] = submit(30);
    assert_int_equal(try_submit(url, 30, &more, &error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_true(more == 77);
    assert_int_equal(stats().in_flight, ROOM);
    release(tickets[1]);
    more = submit(30);
    assert_true(more != tickets[1]);
    assert_int_equal(stats().in_flight, ROOM);
}

static void one_that_is_done_holds_its_slot_until_released(void **state) {
    cly_ticket tickets[ROOM], more;
    cly_error error;
    (void)state;
    for (int i = 0; i < ROOM; i++) tickets[i] = submit(30);
    cancel(tickets[0]);
    assert_int_equal(try_submit(url, 30, &more, &error), CLY_OVERLOADED);
    release(tickets[0]);
    submit(30);
}

static void a_ticket_is_good_once(void **state) {
    cly_ticket old = submit(30), fresh;
    (void)state;
    release(old);
    fresh = submit(30);
    assert_true(old != fresh);
    assert_false(cly_call_table_is_known(calls(), old));
    assert_false(cly_call_table_is_done(calls(), old));
    cancel(old);
    release(old);
    assert_int_equal(stats().in_flight, 1);
    assert_true(cly_call_table_is_known(calls(), fresh));
}

static void tickets_that_never_were_are_none(void **state) {
    const cly_ticket odd[] = {0, 1, ROOM, 65535, (cly_ticket)1 << 16, UINT64_MAX, (cly_ticket)1 << 63};
    cly_ticket real = submit(30);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        if (odd[i] == real) continue;
        assert_false(cly_call_table_is_known(calls(), odd[i]));
        cancel(odd[i]);
        release(odd[i]);
    }
    assert_int_equal(stats().in_flight, 1);
}

static void tickets_are_never_used_again(void **state) {
    cly_ticket last = 0;
    (void)state;
    for (int i = 0; i < 200; i++) {
        cly_ticket ticket = submit(30);
        assert_true(ticket != last && ticket < (cly_ticket)1 << 53);
        release(ticket);
        last = ticket;
    }
}

static void a_cancel_before_a_byte_left_is_not_sent(void **state) {
    cly_ticket ticket = submit(30);
    (void)state;
    cancel(ticket);
    assert_int_equal(error_of(ticket)->kind, CLY_CANCELED);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
}

static void a_cancel_after_bytes_left_is_unknown(void **state) {
    cly_ticket ticket = submit(30);
    (void)state;
    step_for(0.2);
    cancel(ticket);
    assert_int_equal(error_of(ticket)->kind, CLY_CANCELED);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    cancel(ticket); /* and once more */
    assert_int_equal(stats().in_flight, 0);
}

static void those_done_come_in_the_order_of_their_end(void **state) {
    cly_ticket first = submit(30), second = submit(30), third = submit(30);
    (void)state;
    cancel(second);
    cancel(third);
    cancel(first);
    assert_true(call_first_done(calls(), 0) == second);
    release(third); /* from the middle */
    release(second);
    assert_true(call_first_done(calls(), 0) == first);
    release(first);
    assert_true(call_first_done(calls(), 0) == 0);
}

static void no_time_is_no_attempt(void **state) {
    cly_ticket ticket = submit(0);
    (void)state;
    cly_engine_step(engine, 0, 0, NULL, 0);
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(ticket)->attempts, 0);
}

static void an_url_without_end_is_not_sent(void **state) {
    static char endless[70 * 1024];
    cly_ticket ticket;
    cly_error error;
    (void)state;
    memset(endless, 'x', sizeof endless - 1);
    assert_int_not_equal(try_submit(endless, 5, &ticket, &error), CLY_OK);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_int_equal(stats().in_flight, 0);
    assert_true(cly_records_has_room(&calls()->records));
}

/* `end` frees the engine with calls connecting, sent and done. */
static void an_engine_may_be_freed_in_the_middle(void **state) {
    (void)state;
    submit(30);
    cancel(submit(30));
    step_for(0.05);
    submit(30);
}

/* Uses up all descriptors; returns how many it took. */
static int take_descriptors(int *taken, int most) {
    int count = 0;
    while (count < most && (taken[count] = dup(0)) >= 0) count++;
    return count;
}

/* Such an engine would not hear of anything for the length of its wait. */
static void without_a_descriptor_to_wake_it_there_is_no_engine(void **state) {
    struct rlimit before, low;
    int taken[64], count;
    cly_error error;
    (void)state;
    end(state);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 60;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    count = take_descriptors(taken, 64);
    cly_error_clear(&error);
    assert_int_equal(cly_engine_new(&engine, &options, &error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_non_null(strstr(error.message, "descriptor"));
    while (count > 0) close(taken[--count]);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(open_engine(), CLY_OK);
}

static void null_may_be_freed(void **state) {
    (void)state;
    cly_engine_free(NULL);
}

/* ---- memory ---- */

/* Ours alone: libcurl's own does not go through the linker's wrapping. */
static void every_allocation_of_a_call_may_fail(void **state) {
    long live = memory_live();
    bool has_failed = true;
    for (long n = 0; has_failed; n++) {
        cly_ticket ticket = 0;
        cly_error error;
        memory_fail(n, MEMORY_FAILS_FROM_THEN_ON);
        if (begin(state) == 0) {
            if (try_submit("http://127.0.0.1:1/x", 5, &ticket, &error) == CLY_OK) step_for(0.02);
            has_failed = memory_restore();
            if (ticket) finish(ticket, 2);
            if (ticket) assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
            end(state);
        } else {
            has_failed = memory_restore();
        }
        assert_int_equal(memory_live(), live);
    }
}

/* A success whose body has no room: it came, so nobody may say it did not, and it
 * was not too large. */
static void a_reply_without_memory_is_unknown(void **state) {
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}";
    char where[64];
    int port = server_listen(where, sizeof where), peer;
    cly_ticket ticket = 0;
    (void)state;
    assert_true(port >= 0);
    ticket = submit_to(where, 5);
    step_for(0.1);
    peer = accept(port, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(write(peer, reply, sizeof reply - 1), sizeof reply - 1);
    memory_fail(0, MEMORY_FAILS_ONCE);
    step_for(0.2);
    assert_true(memory_restore());
    assert_int_equal(error_of(ticket)->kind, CLY_NETWORK);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_non_null(strstr(error_of(ticket)->message, "not enough memory for the reply"));
    close(peer);
    close(port);
}

/* A submission that is not taken leaves the body where it was: else the next try
 * with it would send another message's. */
static void what_is_not_taken_keeps_its_body(void **state) {
    static char longer[2048] = "http://127.0.0.1:1/";
    cly_submission submission = call_submission(longer, 5);
    cly_ticket ticket = 0;
    cly_buffer body;
    cly_error error;
    (void)state;
    memset(longer + strlen(longer), 'x', 1500);
    release(submit(5)); /* the slot now holds a body: that call's */
    release(submit(5));
    release(submit(5));
    cly_buffer_init(&body, 1024);
    cly_buffer_text(&body, "{\"mine\":1}");
    submission.body = &body;
    cly_error_clear(&error);
    memory_fail(0, MEMORY_FAILS_ONCE);
    assert_int_equal(cly_call_table_submit(calls(), &ticket, &submission, &error), CLY_OVERLOADED);
    assert_true(memory_restore());
    assert_int_equal(body.length, 10);
    assert_memory_equal(body.data, "{\"mine\":1}", 10);
    cly_buffer_clear(&body);
}

/* ---- attempts ---- */

#define REPLY_400 "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}"
#define REPLY_408 "HTTP/1.1 408 Late\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define REPLY_UNASKED "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"id\":\"unasked\"}"

static cly_event expect_event(cly_event_type type) {
    cly_event event = {0};
    if (!cly_call_table_take_event(calls(), &event))
        fail_msg("no event where %s was due", cly_event_name(type));
    if (event.type != type) fail_msg("%s where %s was due", cly_event_name(event.type), cly_event_name(type));
    assert_string_equal(event.operation, "send_template");
    return event;
}

static void expect_no_event(void) {
    cly_event event;
    assert_false(cly_call_table_take_event(calls(), &event));
}

static cly_stats stats_that_add_up(void) {
    return call_stats(calls());
}

static void a_refused_port_is_tried_max_attempts_times(void **state) {
    cly_submission submission = call_submission("http://127.0.0.1:1/x", 20);
    cly_ticket ticket;
    cly_stats counted;
    (void)state;
    options.max_attempts = 3;
    options.wants_events = true;
    reopen();
    submission.number = 42;
    ticket = hand_over(submission);
    finish(ticket, 5);
    assert_int_equal(error_of(ticket)->kind, CLY_NETWORK);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(ticket)->attempts, 3);
    for (int i = 1; i <= 3; i++) {
        cly_event event = expect_event(CLY_EVENT_ATTEMPT);
        assert_int_equal(event.attempt, i);
        assert_true(event.call == 42 && event.kind == CLY_NETWORK && event.outcome == CLY_NOT_SENT);
        assert_int_equal(event.status, 0);
        if (i == 3) break;
        event = expect_event(CLY_EVENT_RETRY);
        assert_int_equal(event.attempt, i);
        assert_true(event.delay >= 0 && event.delay < 0.5 * i);
        assert_string_equal(event.reason, "proved not sent");
    }
    assert_int_equal(expect_event(CLY_EVENT_DONE).attempt, 3);
    expect_no_event();
    counted = stats_that_add_up();
    assert_int_equal(counted.attempts, 3);
    assert_int_equal(counted.retries, 2);
    assert_int_equal(counted.not_sent, 1);
    assert_int_equal(counted.in_flight, 0);
}

static void a_429_is_tried_again_and_succeeds(void **state) {
    const char *const replies[] = {REPLY_429("0"), REPLY_OK};
    cly_submission submission;
    cly_ticket ticket;
    cly_event event;
    (void)state;
    options.max_attempts = 3;
    options.wants_events = true;
    reopen();
    server_serve(&answering, replies, 2);
    submission = call_submission(answering.url, 5);
    submission.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    ticket = hand_over(submission);
    finish(ticket, 2);
    assert_int_equal(call_of(ticket)->error.kind, CLY_OK);
    assert_int_equal(call_of(ticket)->attempts, 2);
    assert_int_equal(call_of(ticket)->status, 200);
    event = expect_event(CLY_EVENT_ATTEMPT);
    assert_true(event.status == 429 && event.kind == CLY_RATE_LIMITED);
    assert_true(event.phases.total > 0 && event.phases.total >= event.phases.first_byte);
    assert_string_equal(event.http_version, "1.1");
    assert_true(expect_event(CLY_EVENT_RETRY).delay == 0);
    event = expect_event(CLY_EVENT_ATTEMPT);
    assert_true(event.status == 200 && event.kind == CLY_OK && event.attempt == 2);
    event = expect_event(CLY_EVENT_DONE);
    assert_string_equal(event.id, "a");
    assert_true(event.delay > 0);
    expect_no_event();
    assert_int_equal(stats_that_add_up().succeeded, 1);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2);
    assert_non_null(strstr(answering.last,
                           "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"));
}

static void what_may_have_arrived_is_sent_once(void **state) {
    const char *const replies[] = {HANG_UP, REPLY_OK};
    cly_ticket ticket;
    (void)state;
    options.max_attempts = 3;
    reopen();
    server_serve(&answering, replies, 2);
    ticket = submit_to(answering.url, 5);
    finish(ticket, 2);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_int_equal(error_of(ticket)->attempts, 1);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 1);
}

static void at_least_once_is_sent_again(void **state) {
    const char *const replies[] = {HANG_UP, REPLY_OK};
    cly_ticket ticket;
    (void)state;
    options.max_attempts = 3;
    options.retry_unknown = true;
    reopen();
    server_serve(&answering, replies, 2);
    ticket = submit_to(answering.url, 5);
    finish(ticket, 2);
    assert_int_equal(call_of(ticket)->error.kind, CLY_OK);
    assert_int_equal(call_of(ticket)->attempts, 2);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2);
}

/* ---- replies that are handed on ---- */

#define REPLY(length, body) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body

static cly_ticket submit_campaigns(int entries) {
    cly_submission submission = call_submission(answering.url, 5);
    cly_ticket ticket = 0;
    submission.operation = cly_operation_find("send_campaigns", 14);
    submission.batch.entries = entries;
    ticket = hand_over(submission);
    finish(ticket, 2);
    return ticket;
}

/* It was answered: who was accepted would be sent it twice. */
static void campaigns_taken_in_part_are_sent_once_and_are_no_success(void **state) {
    const char *const replies[] = {REPLY("45", "{\"data\":[{\"acceptedCount\":\"1\",\"error\":null}]}")};
    cly_ticket ticket;
    cly_stats counted;
    cly_event event;
    (void)state;
    options.max_attempts = 3;
    options.retry_unknown = true;
    options.wants_events = true;
    reopen();
    server_serve(&answering, replies, 1);
    ticket = submit_campaigns(2);
    assert_int_equal(error_of(ticket)->kind, CLY_PROTOCOL);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_string_equal(error_of(ticket)->message, "the reply accounts for 1 of 2 entries");
    for (int i = 0; i < 2; i++) {
        assert_true(cly_call_table_take_event(calls(), &event));
        assert_int_equal(event.type, i == 0 ? CLY_EVENT_ATTEMPT : CLY_EVENT_DONE);
        assert_true(event.kind == CLY_PROTOCOL && event.outcome == CLY_UNKNOWN && event.status == 200);
    }
    assert_int_equal(error_of(submit_campaigns(1))->kind, CLY_OK);
    counted = stats();
    assert_true(counted.calls == 2 && counted.succeeded == 1 && counted.unknown == 1 &&
                counted.attempts == 2);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2);
}

/* A whole reply reaches the caller with an error about campaigns as with a success. */
static void the_key_is_masked_in_a_reply_that_is_handed_on(void **state) {
    const char *const replies[] = {
        REPLY("45", "{\"data\":[{\"acceptedCount\":1,\"x\":\"12345678\"}]}"),
    };
    const cly_buffer *reply;
    cly_ticket ticket;
    (void)state;
    options.secret = "12345678";
    reopen();
    server_serve(&answering, replies, 1);
    for (int entries = 1; entries <= 2; entries++) {
        ticket = submit_campaigns(entries);
        assert_int_equal(error_of(ticket)->kind, entries == 1 ? CLY_OK : CLY_PROTOCOL);
        reply = reply_of(ticket);
        assert_int_equal(reply->length, 45);
        assert_memory_equal(reply->data, "{\"data\":[{\"acceptedCount\":1,\"x\":\"********\"}]}", 45);
    }
}

/* What cannot be read any more behind the stars is judged so too: else a success would
 * be counted of which the caller gets nothing. */
static void a_reply_is_judged_as_it_is_handed_on(void **state) {
    static const char *const names[] = {"send_campaigns", "list_templates"};
    const char *const replies[] = {REPLY("37", "{\"data\":[{\"acceptedCount\":12345678}]}")};
    (void)state;
    options.secret = "12345678";
    reopen();
    server_serve(&answering, replies, 1);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cly_submission submission = call_submission(answering.url, 5);
        cly_ticket ticket;
        submission.operation = cly_operation_find(names[i], strlen(names[i]));
        submission.batch.entries = 12345678;
        ticket = hand_over(submission);
        finish(ticket, 2);
        assert_int_equal(error_of(ticket)->kind, CLY_PROTOCOL);
        assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
        assert_string_equal(error_of(ticket)->message, "the reply with status 200 is not JSON");
    }
}

/* ---- time ---- */

/* Half a second of ten is left when it is tried again, and no more than that. */
static void a_retry_has_the_rest_of_the_budget(void **state) {
    const char *const replies[] = {REPLY_429("0"), SILENCE};
    cly_submission submission;
    cly_ticket ticket;
    (void)state;
    options.max_attempts = 3;
    reopen();
    server_serve(&answering, replies, 2);
    submission = call_submission(answering.url, 10);
    submission.submitted_at -= 9.5;
    ticket = hand_over(submission);
    finish(ticket, 3);
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_int_equal(error_of(ticket)->attempts, 2);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2);
}

/* The reply's head said 429, and while its body is awaited the call is ended: it
 * must not go on by itself, with nobody to own it. */
static void a_cancel_in_the_middle_of_a_429_ends_the_call(void **state) {
    const char *const replies[] = {REPLY_HALF_429};
    cly_ticket ticket, other;
    bool is_done;
    (void)state;
    options.max_attempts = 3;
    reopen();
    server_serve(&answering, replies, 1);
    ticket = submit_to(answering.url, 5);
    other = submit_to(answering.url, 5);
    step_for(0.1);
    cancel(ticket);
    is_done = cly_call_table_is_done(calls(), ticket);
    release(ticket);
    release(other);
    step_for(0.1);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2); /* one each */
    assert_true(is_done);
    assert_int_equal(stats().in_flight, 0);
    assert_true(is_empty());
}

/* The slot was used before; of that nothing may show. */
/* Lets libcurl keep calls for want of a connection. */
static void reopen_with_one_connection(void) {
    options.max_connections = 1;
    options.wants_events = true;
    reopen();
}

/* No attempt is made: libcurl is given only what it can start. */
static void one_that_waits_for_a_connection_ends_in_time(void **state) {
    const char *const replies[] = {SILENCE};
    cly_ticket busy, late, later;
    (void)state;
    server_serve(&answering, replies, 1);
    reopen_with_one_connection();
    busy = submit_to(answering.url, 30);
    step_for(0.05);
    later = submit_to(answering.url, 0.4);
    late = submit_to(answering.url, 0.2);
    finish(late, 0.3);
    assert_int_equal(error_of(late)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(late)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(late)->attempts, 0);
    assert_false(cly_call_table_is_done(calls(), later));
    finish(later, 0.3);
    assert_int_equal(error_of(later)->outcome, CLY_NOT_SENT);
    assert_false(cly_call_table_is_done(calls(), busy));
    assert_int_equal(server_requests(&answering), 1);
}

/* As it was found: the wait is that for an attempt after a 429. */
static void a_second_attempt_that_waits_for_a_connection_ends_in_time(void **state) {
    const char *const replies[] = {REPLY_429("1"), SILENCE};
    cly_ticket late;
    (void)state;
    server_serve(&answering, replies, 2);
    options.max_attempts = 2;
    reopen_with_one_connection();
    late = submit_to(answering.url, 1.3);
    step_for(0.95); /* the pause is everybody's: the other one goes first when it is over */
    submit_to(answering.url, 30);
    finish(late, 0.5);
    assert_int_equal(error_of(late)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(late)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(late)->attempts, 1);
}

/* A call that gets no reply, on the handle that carried `reply` before. */
static cly_ticket silence_after(const char *reply, double timeout) {
    static const char *replies[2]; /* the server reads them later */
    cly_ticket ticket;
    replies[0] = reply;
    replies[1] = SILENCE;
    server_serve(&answering, replies, 2);
    options.max_in_flight = 1;
    options.wants_events = true;
    reopen();
    ticket = submit_to(answering.url, 5);
    finish(ticket, 2);
    expect_event(CLY_EVENT_ATTEMPT);
    expect_event(CLY_EVENT_DONE);
    cly_engine_take_pause(engine);
    release(ticket);
    return submit_to(answering.url, timeout);
}

static void what_a_handle_carried_before_is_forgotten(void **state) {
    const char *const replies[] = {REPLY_400, REPLY_429("0"), REPLY_OK};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        cly_ticket ticket = silence_after(replies[i], 30);
        double until = cly_clock_now() + 5;
        cly_event event;
        while (server_requests(&answering) < 2 && cly_clock_now() < until) step_for(0.01);
        cancel(ticket);
        assert_int_equal(error_of(ticket)->kind, CLY_CANCELED);
        assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
        assert_int_equal(error_of(ticket)->status, 0);
        assert_true(cly_engine_take_pause(engine) <= 0); /* no 429 this time */
        event = expect_event(CLY_EVENT_ATTEMPT);
        assert_int_equal(event.status, 0);
        assert_string_equal(event.http_version, "");
        assert_true(event.phases.first_byte <= 0);
        assert_string_equal(expect_event(CLY_EVENT_DONE).http_version, "");
        server_stop(&answering);
        assert_int_equal(server_requests(&answering), 2);
    }
}

/* The program was elsewhere for longer than the call has time. */
static void a_call_that_is_late_before_its_first_step_does_not_leave(void **state) {
    cly_ticket ticket = silence_after(REPLY_OK, 0.2);
    (void)state;
    usleep(300 * 1000);
    step_for(0.1);
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(ticket)->attempts, 0);
    assert_int_equal(server_requests(&answering), 1);
}

/* ---- bytes that were there before the request ---- */

/* The second of two messages on one connection, after what came on it in between. */
static cly_ticket second_after(const char *const *replies, int count) {
    cly_ticket ticket;
    server_serve(&answering, replies, count);
    ticket = submit_to(answering.url, 5);
    finish(ticket, 2);
    assert_int_equal(error_of(ticket)->kind, CLY_OK);
    release(ticket);
    step_for(0.1);
    ticket = submit_to(answering.url, 5);
    finish(ticket, 2);
    return ticket;
}

static void bytes_before_a_request_are_not_its_reply(void **state) {
    const char *const replies[] = {REPLY_OK LATER REPLY_UNASKED, REPLY_400};
    cly_ticket ticket = second_after(replies, 2);
    (void)state;
    assert_int_equal(error_of(ticket)->kind, CLY_REJECTED);
    assert_int_equal(error_of(ticket)->status, 400);
    assert_int_equal(error_of(ticket)->attempts, 1);
    assert_int_equal(server_requests(&answering), 2);
}

static void a_good_bye_before_a_request_is_not_its_reply(void **state) {
    const char *const good_byes[] = {REPLY_OK LATER REPLY_408 GOOD_BYE, REPLY_OK LATER REPLY_408,
                                     REPLY_OK LATER GOOD_BYE};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_byes); i++) {
        const char *replies[] = {good_byes[i], REPLY_OK};
        cly_ticket ticket = second_after(replies, 2);
        assert_int_equal(error_of(ticket)->kind, CLY_OK);
        assert_int_equal(call_of(ticket)->attempts, 1);
        release(ticket);
        server_stop(&answering);
        assert_int_equal(server_requests(&answering), 2);
    }
}

static void a_server_that_always_says_too_much_is_put_up_with(void **state) {
    const char *const replies[] = {REPLY_OK LATER REPLY_UNASKED};
    cly_stats counted;
    (void)state;
    server_serve(&answering, replies, 1);
    reopen_with_one_connection();
    for (int i = 0; i < 5; i++) {
        cly_ticket ticket = submit_to(answering.url, 5);
        finish(ticket, 2);
        assert_string_equal(cly_response_text(&call_of(ticket)->response, CLY_TEXT_ID), "a");
        release(ticket);
        step_for(0.05);
    }
    counted = stats_that_add_up();
    assert_int_equal(counted.attempts, 5);
    assert_int_equal(counted.succeeded, 5);
    assert_int_equal(server_requests(&answering), 5);
}

/* The fresh connection is an attempt's only other one. */
static void when_no_other_connection_is_to_be_had_it_is_not_sent(void **state) {
    const char *const replies[] = {REPLY_OK LATER REPLY_UNASKED};
    cly_ticket ticket;
    (void)state;
    server_serve(&answering, replies, 1);
    options.max_attempts = 2;
    reopen();
    ticket = submit_to(answering.url, 5);
    finish(ticket, 2);
    step_for(0.1);
    server_stop(&answering);
    ticket = submit_to(answering.url, 1);
    finish(ticket, 4); /* the API was reached before: it waits for its return */
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
    assert_true(error_of(ticket)->attempts >= 2);
    assert_int_equal(server_requests(&answering), 1);
}

static void a_call_without_an_attempt_has_no_reply(void **state) {
    const char *const replies[] = {REPLY_OK};
    cly_ticket ticket;
    (void)state;
    server_serve(&answering, replies, 1);
    for (int i = 0; i < ROOM; i++) {
        ticket = submit_to(answering.url, 5);
        finish(ticket, 2);
        assert_int_equal(reply_of(ticket)->length, 10);
        release(ticket);
    }
    server_stop(&answering);
    ticket = submit(5);
    cancel(ticket);
    assert_int_equal(error_of(ticket)->attempts, 0);
    assert_int_equal(reply_of(ticket)->length, 0);
}

/* ---- the limiter ---- */

static void check_seconds(int limit) {
    int count = server_requests(&answering);
    for (int from = 0, to = 0; to < count; to++) {
        while (answering.arrivals[from] + 1 <= answering.arrivals[to]) from++;
        if (to - from + 1 > limit) fail_msg("a second held %d requests", to - from + 1);
    }
}

static void no_second_holds_more_than_the_rate(void **state) {
    enum { RATE = 200, CALLS = 600 };
    const char *const replies[] = {REPLY_OK};
    double before, took;
    int left = CALLS, done = 0;
    (void)state;
    options.rate = RATE;
    options.max_in_flight = 16;
    options.wants_events = true;
    reopen();
    server_serve(&answering, replies, 1);
    departures_forget();
    before = cly_clock_now();
    while (done < CALLS) {
        cly_ticket ticket;
        for (; left > 0 && cly_records_has_room(&calls()->records); left--) submit_to(answering.url, 30);
        cly_engine_step(engine, 0, 1, NULL, 0);
        while ((ticket = call_first_done(calls(), 0)) != 0) {
            assert_int_equal(error_of(ticket)->kind, CLY_OK);
            release(ticket);
            done++;
        }
    }
    took = cly_clock_now() - before;
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), CALLS);
    check_seconds(RATE);
    assert_int_equal(departures(), CALLS);
    assert_true(departures_in_a_second() <= RATE);
    if (took > CALLS / (0.95 * RATE) + 0.1) fail_msg("%d at %d a second took %g s", CALLS, RATE, took);
    assert_true(stats_that_add_up().throttled > CALLS / 2);
}

/* API: rate limits. Assets have a limit of their own within the client's, and do not
 * stand in the way of others. */
static void assets_have_a_limit_of_their_own(void **state) {
    enum { ASSETS = 150 };
    const char *const replies[] = {REPLY_OK};
    cly_submission submission;
    cly_ticket send;
    double before;
    (void)state;
    options.rate = 200;
    options.max_in_flight = ASSETS + 1;
    reopen();
    server_serve(&answering, replies, 1);
    submission = call_submission(answering.url, 30);
    submission.operation = cly_operation_find("create_asset", 12);
    departures_forget();
    before = cly_clock_now();
    for (int i = 0; i < ASSETS; i++) hand_over(submission);
    send = submit_to(answering.url, 30);
    while (!cly_call_table_is_done(calls(), send) && cly_clock_now() < before + 10)
        cly_engine_step(engine, 1, 0.01, NULL, 0);
    assert_int_equal(error_of(send)->kind, CLY_OK);
    assert_true(departures() < ASSETS); /* it came last and went before the others */
    while (stats().in_flight > 0 && cly_clock_now() < before + 20) cly_engine_step(engine, 1, 1, NULL, 0);
    assert_true(cly_clock_now() - before >= 1);
    server_stop(&answering);
    assert_int_equal(departures(), ASSETS + 1);
    assert_true(departures_in_a_second() <= 101);
}

/* A limiter elsewhere is not asked for slots that the assets' own would let go by. */
static void assets_ask_for_no_more_slots_than_they_can_use(void **state) {
    enum { ASSETS = 150 };
    const char *const replies[] = {REPLY_OK};
    cly_submission submission;
    double before;
    (void)state;
    options.is_shared = true;
    options.max_in_flight = options.max_connections = ASSETS;
    reopen();
    server_serve(&answering, replies, 1);
    submission = call_submission(answering.url, 30);
    submission.operation = cly_operation_find("get_asset", 9);
    departures_forget();
    for (int i = 0; i < ASSETS; i++) hand_over(submission);
    assert_int_equal(cly_engine_permits_wanted(engine), 100);
    before = cly_clock_now();
    while (departures() < ASSETS && cly_clock_now() < before + 10) {
        for (int wanted = cly_engine_permits_wanted(engine); wanted > 0; wanted--)
            cly_engine_give_permit(engine, cly_clock_now());
        cly_engine_step(engine, 1, 0.05, NULL, 0); /* a step with nothing left to do waits its time */
    }
    server_stop(&answering);
    assert_int_equal(departures(), ASSETS);
    assert_true(departures_in_a_second() <= 100);
    assert_true(cly_clock_now() - before < 5);
}

static void those_the_limiter_keeps_may_run_out_of_time(void **state) {
    cly_ticket first, second;
    (void)state;
    options.rate = 1;
    options.wants_events = true;
    reopen();
    first = submit(30);
    second = submit(0.2);
    step_for(0.4);
    assert_false(cly_call_table_is_done(calls(), first));
    assert_int_equal(error_of(second)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(second)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(second)->attempts, 0);
    assert_int_equal(expect_event(CLY_EVENT_DONE).attempt, 0);
    expect_no_event();
}

/* Nothing else would wake it: the limiter's next turn is in 20 seconds. */
static void a_step_ends_with_the_time_of_one_that_the_limiter_keeps(void **state) {
    cly_ticket first, late;
    double before;
    (void)state;
    options.rate = 0.05;
    reopen();
    first = submit(30);
    step_for(0.1);
    release(first); /* it left, and that counts */
    late = submit(0.3);
    before = cly_clock_now();
    cly_engine_step(engine, 0, 5, NULL, 0);
    assert_true(cly_clock_now() - before < 2);
    assert_int_equal(error_of(late)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(late)->outcome, CLY_NOT_SENT);
}

static void those_the_limiter_keeps_may_be_canceled(void **state) {
    const char *const replies[] = {REPLY_OK};
    cly_ticket second, third;
    (void)state;
    options.rate = 2;
    options.wants_events = true;
    reopen();
    server_serve(&answering, replies, 1);
    submit_to(answering.url, 5);
    second = submit_to(answering.url, 5);
    third = submit_to(answering.url, 5);
    step_for(0.1);
    cancel(second);
    assert_int_equal(error_of(second)->kind, CLY_CANCELED);
    assert_int_equal(error_of(second)->outcome, CLY_NOT_SENT);
    finish(third, 0.8); /* its turn is the second one's */
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2);
    assert_true(answering.arrivals[1] - answering.arrivals[0] > 0.18);
}

static void a_429_stops_everybody(void **state) {
    const char *const replies[] = {REPLY_429("1"), REPLY_OK};
    cly_ticket first, second;
    (void)state;
    server_serve(&answering, replies, 2);
    first = submit_to(answering.url, 5);
    finish(first, 2);
    assert_int_equal(error_of(first)->kind, CLY_RATE_LIMITED);
    second = submit_to(answering.url, 5);
    finish(second, 3);
    server_stop(&answering);
    assert_true(answering.arrivals[1] - answering.arrivals[0] >= 0.99);
}

/* What a server says of a year ends after 60 seconds, and not before. */
static void a_429_stops_nobody_for_longer_than_a_minute(void **state) {
    const char *const replies[] = {"HTTP/1.1 429 No\r\nRetry-After: 31536000\r\nContent-Length: 0\r\n\r\n",
                                   REPLY_OK};
    cly_ticket first, second;
    (void)state;
    server_serve(&answering, replies, 2);
    first = submit_to(answering.url, 5);
    finish(first, 2);
    assert_true(error_of(first)->retry_after == 31536000);
    assert_true(cly_engine_take_pause(engine) == 60);
    second = submit_to(answering.url, 300);
    clock_skip(58);
    step_for(0.1);
    assert_int_equal(server_requests(&answering), 1);
    clock_skip(3);
    finish(second, 2);
    assert_int_equal(call_of(second)->error.kind, CLY_OK);
}

/* An attempt that never left gives its place in the second back. */
static void a_port_that_refuses_uses_up_nothing(void **state) {
    double before;
    (void)state;
    options.rate = 10;
    options.max_in_flight = 30;
    reopen();
    before = cly_clock_now();
    for (int i = 0; i < 15; i++) {
        cly_ticket ticket = submit_to("http://127.0.0.1:1/x", 5);
        finish(ticket, 2);
        release(ticket);
    }
    /* The probes of an outage are half a second apart; the limiter adds nothing. */
    assert_true(cly_clock_now() - before < 15 * 0.5 + 1);
}

/* ---- groups ---- */

static cly_ticket submit_group(const char *where, unsigned group) {
    cly_submission submission = call_submission(where, 30);
    submission.group = group;
    return hand_over(submission);
}

static void groups_are_kept_apart(void **state) {
    cly_ticket one = submit_group("http://127.0.0.1:1/x", 1), two = submit_group(url, 2);
    double before;
    (void)state;
    step_for(0.1);
    assert_true(call_first_done(calls(), 1) == one);
    assert_true(call_first_done(calls(), 2) == 0);
    assert_true(call_first_done(calls(), 0) == 0);
    assert_true(cly_call_table_is_known(calls(), two));
    before = cly_clock_now();
    cly_engine_step(engine, 1, 5, NULL, 0);
    assert_true(cly_clock_now() - before < 1);
    before = cly_clock_now();
    cly_engine_step(engine, 2, 0.1, NULL, 0);
    assert_true(cly_clock_now() - before >= 0.09);
}

static void a_detached_group_frees_its_slots_by_itself(void **state) {
    const char *const replies[] = {REPLY_OK};
    (void)state;
    server_serve(&answering, replies, 1);
    submit_group("http://127.0.0.1:1/x", 7);
    step_for(0.05); /* it is done when it is detached */
    assert_true(call_first_done(calls(), 7) != 0);
    submit_group(answering.url, 7);
    submit_group(answering.url, 8);
    cly_call_table_detach_group(calls(), 7);
    assert_true(call_first_done(calls(), 7) == 0);
    assert_int_equal(stats().in_flight, 2);
    step_for(0.3);
    assert_int_equal(stats().in_flight, 0);
    assert_true(call_first_done(calls(), 7) == 0);
    assert_true(call_first_done(calls(), 8) != 0);
    assert_false(is_empty());
    release(call_first_done(calls(), 8));
    assert_true(is_empty());
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 2);
    assert_int_equal(stats_that_add_up().succeeded, 2);
}

static void a_detached_call_has_no_ticket_any_more(void **state) {
    cly_ticket ticket = submit_group(url, 7);
    (void)state;
    step_for(0.05);
    cly_call_table_detach_group(calls(), 7);
    assert_false(cly_call_table_is_known(calls(), ticket));
    cancel(ticket);
    assert_int_equal(stats().in_flight, 1);
}

static void a_released_call_is_gone_at_once(void **state) {
    cly_ticket ticket = submit_group(url, 7);
    (void)state;
    step_for(0.05);
    release(ticket);
    assert_true(is_empty());
}

/* ---- other threads, other processes ---- */

static void *wake_engine(void *data) {
    (void)data;
    usleep(100 * 1000);
    cly_engine_wakeup(engine);
    return NULL;
}

static void a_wakeup_ends_the_wait(void **state) {
    double before = cly_clock_now();
    pthread_t waker;
    (void)state;
    assert_int_equal(pthread_create(&waker, NULL, wake_engine, NULL), 0);
    cly_engine_step(engine, 0, 10, NULL, 0);
    assert_true(cly_clock_now() - before < 5);
    pthread_join(waker, NULL);
}

/* The last call of a table that is closed may end in the first half of a step: then its
 * second half has nothing to wait for. */
static void a_closed_table_without_calls_ends_the_wait(void **state) {
    double before;
    (void)state;
    cly_engine_step(engine, CLY_NO_GROUP, 0.01, NULL, 0); /* the wake-up of its making is used up */
    before = cly_clock_now();
    cly_call_table_lock(calls());
    calls()->records.is_closed = true;
    cly_call_table_unlock(calls());
    cly_engine_step(engine, CLY_NO_GROUP, 10, NULL, 0);
    assert_true(cly_clock_now() - before < 5);
}

static void an_extra_descriptor_ends_the_wait(void **state) {
    struct curl_waitfd extra = {0, CURL_WAIT_POLLIN, 0};
    double before = cly_clock_now();
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    extra.fd = ends[0];
    cly_engine_step(engine, 0, 10, &extra, 1);
    assert_true(cly_clock_now() - before < 5);
    close(ends[0]);
    close(ends[1]);
}

static int live_in_child(void) {
    cly_ticket ticket;
    cly_error error;
    engine = NULL; /* the parent's */
    if (open_engine() != CLY_OK || try_submit(answering.url, 5, &ticket, &error) != CLY_OK) return 1;
    for (int i = 0; i < 100 && !cly_call_table_is_done(calls(), ticket); i++)
        cly_engine_step(engine, 0, 0.05, NULL, 0);
    return cly_call_table_is_done(calls(), ticket) && call_of(ticket)->error.kind == CLY_OK ? 0 : 2;
}

static void a_fork_leaves_the_parents_calls_alone(void **state) {
    const char *const replies[] = {REPLY_OK, SILENCE, REPLY_OK};
    cly_ticket kept, silent;
    pid_t child;
    (void)state;
    server_serve(&answering, replies, 3);
    kept = submit_to(answering.url, 5);
    finish(kept, 2); /* a connection is kept open */
    silent = submit_to(answering.url, 1);
    step_for(0.1);
    child = fork();
    if (child == 0) child_end(live_in_child());
    child_await(child);
    finish(silent, 2);
    assert_int_equal(error_of(silent)->kind, CLY_TIMEOUT); /* and not a connection that somebody closed */
    release(kept);
    kept = submit_to(answering.url, 5);
    finish(kept, 2);
    assert_int_equal(call_of(kept)->error.kind, CLY_OK);
    server_stop(&answering);
    assert_int_equal(server_requests(&answering), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_engine_has_nothing_to_do),
        TEST(a_reply_that_never_comes_is_unknown),
        TEST(a_port_that_nobody_has_is_not_sent),
        TEST(a_scheme_that_is_not_wanted_is_not_sent),
        TEST(no_more_than_max_in_flight_are_taken),
        TEST(one_that_is_done_holds_its_slot_until_released),
        TEST(a_ticket_is_good_once),
        TEST(tickets_that_never_were_are_none),
        TEST(tickets_are_never_used_again),
        TEST(a_cancel_before_a_byte_left_is_not_sent),
        TEST(a_cancel_after_bytes_left_is_unknown),
        TEST(those_done_come_in_the_order_of_their_end),
        TEST(no_time_is_no_attempt),
        TEST(an_url_without_end_is_not_sent),
        TEST(a_reply_without_memory_is_unknown),
        TEST(what_is_not_taken_keeps_its_body),
        TEST(a_refused_port_is_tried_max_attempts_times),
        TEST(a_429_is_tried_again_and_succeeds),
        TEST(what_may_have_arrived_is_sent_once),
        TEST(at_least_once_is_sent_again),
        TEST(campaigns_taken_in_part_are_sent_once_and_are_no_success),
        TEST(the_key_is_masked_in_a_reply_that_is_handed_on),
        TEST(a_reply_is_judged_as_it_is_handed_on),
        TEST(a_retry_has_the_rest_of_the_budget),
        TEST(a_cancel_in_the_middle_of_a_429_ends_the_call),
        TEST(one_that_waits_for_a_connection_ends_in_time),
        TEST(a_second_attempt_that_waits_for_a_connection_ends_in_time),
        TEST(what_a_handle_carried_before_is_forgotten),
        TEST(a_call_that_is_late_before_its_first_step_does_not_leave),
        TEST(bytes_before_a_request_are_not_its_reply),
        TEST(a_good_bye_before_a_request_is_not_its_reply),
        TEST(a_server_that_always_says_too_much_is_put_up_with),
        TEST(when_no_other_connection_is_to_be_had_it_is_not_sent),
        TEST(a_call_without_an_attempt_has_no_reply),
        TEST(no_second_holds_more_than_the_rate),
        TEST(assets_have_a_limit_of_their_own),
        TEST(assets_ask_for_no_more_slots_than_they_can_use),
        TEST(those_the_limiter_keeps_may_run_out_of_time),
        TEST(a_step_ends_with_the_time_of_one_that_the_limiter_keeps),
        TEST(those_the_limiter_keeps_may_be_canceled),
        TEST(a_429_stops_everybody),
        TEST(a_429_stops_nobody_for_longer_than_a_minute),
        TEST(a_port_that_refuses_uses_up_nothing),
        TEST(groups_are_kept_apart),
        TEST(a_detached_group_frees_its_slots_by_itself),
        TEST(a_detached_call_has_no_ticket_any_more),
        TEST(a_released_call_is_gone_at_once),
        TEST(a_wakeup_ends_the_wait),
        TEST(a_closed_table_without_calls_ends_the_wait),
        TEST(an_extra_descriptor_ends_the_wait),
        TEST(a_fork_leaves_the_parents_calls_alone),
        TEST(an_engine_may_be_freed_in_the_middle),
        TEST(without_a_descriptor_to_wake_it_there_is_no_engine),
        cmocka_unit_test(null_may_be_freed),
        cmocka_unit_test(every_allocation_of_a_call_may_fail),
    };
    return cmocka_run_group_tests_name("io/engine", tests, listen_silently, stop_listening);
}
