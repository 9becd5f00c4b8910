/* A worker and its table, used by one thread, by two, and by a child process. */
#define _DEFAULT_SOURCE /* usleep */
#include "io/worker.h"

#include "io/system/clock.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include "spec/io/child_support.h"
#include "spec/io/departure_support.h"
#include "spec/io/options_support.h"
#include "spec/io/server_support.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FLIGHT = 2, CAPACITY = 4 };

static cly_engine_options options;
static cly_worker *worker;
static cly_engine *at_work; /* the worker's */
static server answering;
static int silent_port;
static char silent_url[64];

static atomic_int dones, ended; /* of workers that were left, and of their calls */

static const char *const always_ok[] = {REPLY_OK};

static cly_call_table *calls(void) {
    return cly_engine_calls(at_work);
}

/* For tests of a full table: a worker leaves much more room. */
static void set_capacity(cly_call_table *table, int capacity) {
    cly_call_table_lock(table);
    if (capacity < table->records.array_size) table->records.capacity = capacity;
    cly_call_table_unlock(table);
}

static cly_engine *open_engine(void) {
    cly_engine *made = NULL;
    assert_int_equal(cly_engine_new(&made, &options, NULL), CLY_OK);
    return made;
}

static void start_worker(cly_engine *engine) {
    assert_int_equal(cly_worker_new(&worker, engine, NULL), CLY_OK);
    at_work = engine;
}

static void open_worker(int capacity) {
    start_worker(open_engine());
    set_capacity(calls(), capacity);
}

static void free_worker(void) {
    cly_worker_free(worker);
    worker = NULL;
}

static int begin(void **state) {
    (void)state;
    options = options_on_loopback(FLIGHT, 16);
    atomic_store(&dones, 0);
    atomic_store(&ended, 0);
    if (!server_start(&answering, always_ok, 1)) return -1;
    silent_port = server_listen(silent_url, sizeof silent_url);
    open_worker(CAPACITY);
    return silent_port < 0 ? -1 : 0;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    free_worker();
    server_stop(&answering);
    return close(silent_port);
}

/* For those that want one of their own. */
static void reopen(int capacity) {
    free_worker();
    open_worker(capacity);
}

static cly_submission submission_of(const char *where, double timeout, unsigned group) {
    cly_submission submission = call_submission(where, timeout);
    submission.number = 9;
    submission.group = group;
    return submission;
}

static cly_kind try_submit(const char *where, double timeout, unsigned group, cly_ticket *ticket,
                           cly_error *error) {
    return call_submit(calls(), submission_of(where, timeout, group), ticket, error);
}

static cly_ticket submit_to(cly_engine *engine, const char *where, unsigned group) {
    cly_ticket ticket = 0;
    assert_int_equal(call_submit(cly_engine_calls(engine), submission_of(where, 30, group), &ticket, NULL),
                     CLY_OK);
    assert_true(ticket != 0 && ticket < (cly_ticket)1 << 53);
    return ticket;
}

static cly_ticket submit_group(const char *where, unsigned group) {
    return submit_to(at_work, where, group);
}

static cly_ticket submit(const char *where) {
    return submit_group(where, 0);
}

static const cly_call *finish(cly_ticket ticket) {
    double until = cly_clock_now() + 10;
    while (!cly_call_table_is_done(calls(), ticket)) {
        if (cly_clock_now() > until) fail_msg("not done after 10 seconds");
        cly_worker_wait_for(worker, ticket, 0.2);
    }
    return call_result(calls(), ticket).call;
}

/* It ends soon, and nothing of it has left. */
static const cly_call *expect_timeout(cly_ticket ticket) {
    const cly_call *call = finish(ticket);
    assert_int_equal(call->error.kind, CLY_TIMEOUT);
    assert_int_equal(call->error.outcome, CLY_NOT_SENT);
    assert_true(call->ended_at - call->started_at < 1);
    return call;
}

static cly_stats stats_that_add_up(void) {
    return call_stats(calls());
}

/* ---- calls that were under way before it ---- */

/* For a worker that starts later. */
static cly_engine *reopen_without_worker(void) {
    free_worker();
    options.max_in_flight = 8;
    return open_engine();
}

/* Starting a worker hands nothing over: all works on the same table. */
static void calls_under_way_keep_tickets_groups_and_results(void **state) {
    cly_engine *engine;
    cly_ticket old, done, silent, fresh, unwanted, later;
    (void)state;
    engine = reopen_without_worker();
    old = submit_to(engine, answering.url, 1);
    cly_call_table_release(cly_engine_calls(engine), old);
    unwanted = submit_to(engine, answering.url, 7);
    cly_call_table_detach_group(cly_engine_calls(engine), 7);
    silent = submit_to(engine, silent_url, 2);
    done = submit_to(engine, answering.url, 3);
    while (!cly_call_table_is_done(cly_engine_calls(engine), done)) cly_engine_step(engine, 3, 1, NULL, 0);
    fresh = submit_to(engine, answering.url, 4);
    start_worker(engine);
    assert_false(cly_call_table_is_known(calls(), old));
    assert_false(cly_call_table_is_known(calls(), unwanted));
    assert_int_equal(finish(done)->error.kind, CLY_OK);
    assert_int_equal(finish(fresh)->error.kind, CLY_OK);
    assert_true(call_first_done(calls(), 3) == done);
    assert_true(call_first_done(calls(), 4) == fresh);
    assert_true(cly_call_table_is_known(calls(), silent) && !cly_call_table_is_done(calls(), silent));
    cly_call_table_cancel(calls(), silent);
    assert_int_equal(finish(silent)->error.kind, CLY_CANCELED);
    later = submit(answering.url);
    assert_true(later != old && later != done && later != fresh && later != unwanted);
    assert_int_equal(finish(later)->error.kind, CLY_OK);
    assert_int_equal(stats_that_add_up().in_flight, 0);
}

/* ---- entries of campaigns ---- */

static const char *const two_accepted[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"data\":[{\"acceptedCount\":2}]}"};

static cly_ticket submit_campaigns(cly_engine *engine, int entries) {
    cly_submission submission = call_submission(answering.url, 30);
    cly_ticket ticket = 0;
    submission.operation = cly_operation_find("send_campaigns", 14);
    submission.batch.entries = entries;
    assert_int_equal(call_submit(cly_engine_calls(engine), submission, &ticket, NULL), CLY_OK);
    return ticket;
}

static void check_accounted(cly_ticket ticket, int entries) {
    const cly_call *call = finish(ticket);
    assert_int_equal(call->batch.entries, entries);
    assert_int_equal(call->error.kind, entries == 2 ? CLY_OK : CLY_PROTOCOL);
    if (entries != 2) assert_int_equal(call->error.outcome, CLY_UNKNOWN);
    assert_int_equal(call->response.sendouts.count, 1);
    assert_int_equal(call_result(calls(), ticket).reply->length, 30);
}

/* Some are queued. */
static void replies_account_for_the_entries_of_each_call(void **state) {
    cly_ticket tickets[CAPACITY];
    cly_stats stats;
    (void)state;
    server_serve(&answering, two_accepted, 1);
    for (int i = 0; i < CAPACITY; i++) tickets[i] = submit_campaigns(at_work, i + 1);
    for (int i = 0; i < CAPACITY; i++) check_accounted(tickets[i], i + 1);
    stats = stats_that_add_up();
    assert_true(stats.succeeded == 1 && stats.unknown == CAPACITY - 1);
}

static void replies_to_calls_that_were_under_way_account_too(void **state) {
    cly_engine *engine = reopen_without_worker();
    cly_ticket tickets[3];
    (void)state;
    server_serve(&answering, two_accepted, 1);
    for (int i = 0; i < 3; i++) tickets[i] = submit_campaigns(engine, i + 1);
    cly_engine_step(engine, 1, 0, NULL, 0);
    start_worker(engine);
    for (int i = 0; i < 3; i++) check_accounted(tickets[i], i + 1);
}

/* ---- one call ---- */

static void a_call_comes_back_with_its_result(void **state) {
    cly_ticket ticket = submit(answering.url);
    cly_result result;
    (void)state;
    assert_true(cly_call_table_is_known(calls(), ticket));
    assert_int_equal(finish(ticket)->error.kind, CLY_OK);
    assert_true(call_first_done(calls(), 0) == ticket);
    result = call_result(calls(), ticket);
    assert_string_equal(cly_response_text(&result.call->response, CLY_TEXT_ID), "a");
    assert_int_equal(result.reply->length, 10);
    assert_memory_equal(result.reply->data, "{\"id\":\"a\"}", 10);
    assert_string_equal(result.http_version, "1.1");
    cly_call_table_release(calls(), ticket);
    assert_false(cly_call_table_is_known(calls(), ticket));
    assert_false(cly_call_table_is_done(calls(), ticket));
    assert_false(cly_call_table_result(calls(), ticket, &result));
    assert_true(call_first_done(calls(), 0) == 0);
    assert_int_equal(stats_that_add_up().succeeded, 1);
}

static void it_makes_progress_without_being_waited_for(void **state) {
    cly_ticket ticket = submit(answering.url);
    (void)state;
    for (int i = 0; i < 500 && !cly_call_table_is_done(calls(), ticket); i++) usleep(10 * 1000);
    assert_true(cly_call_table_is_done(calls(), ticket));
}

static void a_result_is_there_when_it_is_done_and_not_before(void **state) {
    cly_ticket ticket = submit(silent_url);
    cly_result result;
    double before = cly_clock_now();
    (void)state;
    assert_false(cly_call_table_result(calls(), ticket, &result));
    cly_worker_wait_for(worker, ticket, 0.1);
    assert_true(cly_clock_now() - before >= 0.09);
    assert_false(cly_call_table_is_done(calls(), ticket));
}

static void tickets_that_never_were_are_none(void **state) {
    const cly_ticket odd[] = {0, 1, CAPACITY, 65535, (cly_ticket)1 << 16, UINT64_MAX, (cly_ticket)1 << 63};
    cly_ticket real = submit(silent_url);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        if (odd[i] == real) continue;
        assert_false(cly_call_table_is_known(calls(), odd[i]));
        cly_call_table_cancel(calls(), odd[i]);
        cly_call_table_detach(calls(), odd[i]);
        cly_call_table_release(calls(), odd[i]);
        cly_worker_wait_for(worker, odd[i], 60);
    }
    assert_int_equal(stats_that_add_up().in_flight, 1);
}

/* ---- a full table ---- */

static void a_full_table_takes_no_more(void **state) {
    cly_ticket tickets[CAPACITY], more = 77;
    cly_error error;
    (void)state;
    for (int i = 0; i < CAPACITY; i++) tickets[i] = submit(silent_url);
    assert_int_equal(try_submit(silent_url, 30, 0, &more, &error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_true(more == 77);
    assert_int_equal(stats_that_add_up().in_flight, CAPACITY);
    assert_int_equal(stats_that_add_up().calls, CAPACITY);
    cly_call_table_cancel(calls(), tickets[0]);
    finish(tickets[0]); /* its result has not been read: the record is in use */
    assert_int_equal(try_submit(silent_url, 30, 0, &more, &error), CLY_OVERLOADED);
    cly_call_table_release(calls(), tickets[0]);
    submit(silent_url);
}

/* More were started than may be in flight; one that ends lets the next go, were
 * it by being canceled and with nothing else to wake the thread. */
static void a_canceled_call_lets_the_next_go(void **state) {
    cly_ticket first;
    (void)state;
    options.max_in_flight = 1;
    reopen(CAPACITY);
    first = submit(silent_url);
    usleep(50 * 1000);
    submit(answering.url);
    usleep(50 * 1000);
    assert_int_equal(server_requests(&answering), 0);
    cly_call_table_cancel(calls(), first);
    server_await(&answering, 1);
}

static void those_that_wait_for_room_run_out_of_time(void **state) {
    cly_ticket late = 0;
    cly_event event;
    (void)state;
    options.max_in_flight = 1;
    options.wants_events = true;
    reopen(CAPACITY);
    submit(silent_url);
    assert_int_equal(try_submit(answering.url, 0.2, 0, &late, NULL), CLY_OK);
    expect_timeout(late);
    assert_int_equal(stats_that_add_up().not_sent, 1);
    assert_int_equal(stats_that_add_up().in_flight, 1);
    assert_true(cly_call_table_take_event(calls(), &event));
    assert_true(event.type == CLY_EVENT_DONE && event.kind == CLY_TIMEOUT && event.call == 9);
    assert_string_equal(event.operation, "send_template");
    assert_int_equal(server_requests(&answering), 0);
}

/* The limiter's next turn is in 20 seconds; its time is up before. */
static void those_that_the_limiter_keeps_run_out_of_time(void **state) {
    cly_ticket late = 0;
    (void)state;
    options.rate = 0.05;
    reopen(CAPACITY);
    finish(submit(answering.url));
    assert_int_equal(try_submit(answering.url, 0.3, 0, &late, NULL), CLY_OK);
    expect_timeout(late);
    assert_int_equal(server_requests(&answering), 1);
}

static void no_second_holds_more_than_the_rate(void **state) {
    enum { RATE = 200, CALLS = 500 };
    (void)state;
    options.rate = RATE;
    options.max_in_flight = 64;
    reopen(CALLS);
    departures_forget();
    for (int i = 0; i < CALLS; i++) submit_group(answering.url, 1);
    assert_int_equal(cly_worker_stop(worker, 10), 0);
    assert_int_equal(stats_that_add_up().succeeded, CALLS);
    assert_int_equal(departures(), CALLS);
    assert_true(departures_in_a_second() <= RATE);
    assert_true(departures_span() < CALLS / (0.95 * RATE));
}

/* ---- cancel, release, detach ---- */

static void those_that_wait_for_a_connection_run_out_of_time(void **state) {
    cly_ticket late = 0;
    (void)state;
    options.max_connections = 1;
    reopen(CAPACITY);
    submit(silent_url);
    usleep(50 * 1000);
    assert_int_equal(try_submit(silent_url, 0.2, 0, &late, NULL), CLY_OK);
    assert_int_equal(expect_timeout(late)->error.attempts, 0);
    assert_int_equal(stats_that_add_up().in_flight, 1);
}

static void a_cancel_of_a_queued_call(void **state) {
    cly_ticket waiting;
    (void)state;
    for (int i = 0; i < FLIGHT; i++) submit(silent_url);
    waiting = submit(silent_url);
    cly_call_table_cancel(calls(), waiting);
    assert_int_equal(finish(waiting)->error.kind, CLY_CANCELED);
    assert_int_equal(finish(waiting)->error.outcome, CLY_NOT_SENT);
    assert_int_equal(finish(waiting)->attempts, 0);
    cly_call_table_cancel(calls(), waiting); /* and once more */
    assert_int_equal(stats_that_add_up().not_sent, 1);
}

static void a_cancel_of_an_attempt(void **state) {
    cly_ticket ticket = submit(silent_url);
    cly_result result;
    (void)state;
    usleep(100 * 1000);
    cly_call_table_cancel(calls(), ticket);
    assert_int_equal(finish(ticket)->error.kind, CLY_CANCELED);
    assert_int_equal(finish(ticket)->error.outcome, CLY_UNKNOWN);
    result = call_result(calls(), ticket);
    assert_int_equal(result.reply->length, 0);
    assert_string_equal(result.http_version, "");
}

/* The head of its reply, which says 429, has come. */
static cly_ticket submit_half_answered(void) {
    static const char *const half[] = {REPLY_HALF_429};
    cly_ticket ticket;
    options.max_attempts = 3;
    reopen(CAPACITY);
    server_serve(&answering, half, 1);
    ticket = submit(answering.url);
    server_await(&answering, 1);
    usleep(50 * 1000);
    return ticket;
}

static void a_cancel_in_the_middle_of_a_429_is_the_end(void **state) {
    cly_ticket ticket = submit_half_answered();
    (void)state;
    cly_call_table_cancel(calls(), ticket);
    cly_worker_wait_for(worker, ticket, 1);
    usleep(100 * 1000);
    assert_true(cly_call_table_is_done(calls(), ticket));
    assert_int_equal(server_requests(&answering), 1);
}

static void a_released_call_is_ended_and_its_record_used_again(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        cly_ticket ticket = 0;
        double until = cly_clock_now() + 5;
        while (try_submit(silent_url, 30, 0, &ticket, NULL) != CLY_OK && cly_clock_now() < until)
            usleep(1000);
        assert_true(ticket != 0);
        cly_call_table_release(calls(), ticket);
        assert_false(cly_call_table_is_known(calls(), ticket));
        assert_true(call_first_done(calls(), 0) == 0);
    }
}

static void a_detached_call_goes_on_and_gives_its_record_back(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) {
        cly_ticket ticket = 0;
        while (try_submit(answering.url, 30, 0, &ticket, NULL) != CLY_OK) usleep(1000);
        if (i % 2) finish(ticket);
        cly_call_table_detach(calls(), ticket);
        assert_false(cly_call_table_is_known(calls(), ticket));
    }
    server_await(&answering, 10);
    assert_true(call_first_done(calls(), 0) == 0);
}

static void groups_are_kept_apart(void **state) {
    cly_ticket one = submit_group(answering.url, 1);
    double before;
    (void)state;
    submit_group(silent_url, 2);
    cly_worker_wait(worker, 1, 5);
    assert_true(call_first_done(calls(), 1) == one);
    assert_true(call_first_done(calls(), 2) == 0);
    before = cly_clock_now();
    cly_worker_wait(worker, 2, 0.1);
    assert_true(cly_clock_now() - before >= 0.09);
    cly_call_table_detach_group(calls(), 2);
    cly_call_table_detach_group(calls(), 1);
    assert_true(call_first_done(calls(), 1) == 0);
    assert_int_equal(stats_that_add_up().in_flight, 1);
}

/* ---- the end ---- */

static void a_stop_with_time_drains_all(void **state) {
    cly_ticket tickets[CAPACITY];
    (void)state;
    for (int i = 0; i < CAPACITY; i++) tickets[i] = submit(answering.url);
    assert_int_equal(cly_worker_stop(worker, 10), 0);
    for (int i = 0; i < CAPACITY; i++) assert_int_equal(finish(tickets[i])->error.kind, CLY_OK);
    assert_int_equal(stats_that_add_up().succeeded, CAPACITY);
    assert_int_equal(cly_worker_stop(worker, 10), 0);
}

/* Their results will not be read, but they are sent. The limiter delays them until
 * long after the stop was asked for. */
static void a_stop_drains_detached_calls(void **state) {
    (void)state;
    options.rate = 20;
    reopen(CAPACITY);
    for (int i = 0; i < CAPACITY; i++) cly_call_table_detach(calls(), submit_group(answering.url, 5));
    cly_call_table_detach_group(calls(), 5);
    assert_int_equal(cly_worker_stop(worker, 10), 0);
    assert_int_equal(server_requests(&answering), CAPACITY);
    assert_int_equal(stats_that_add_up().succeeded, CAPACITY);
}

static void a_stop_without_time_ends_all_and_says_how_many(void **state) {
    cly_ticket tickets[CAPACITY], late = 77;
    cly_error error;
    double before;
    (void)state;
    tickets[0] = submit(answering.url);
    finish(tickets[0]);
    for (int i = 1; i < CAPACITY; i++) tickets[i] = submit(silent_url);
    usleep(100 * 1000);
    before = cly_clock_now();
    assert_int_equal(cly_worker_stop(worker, 0.1), CAPACITY - 1);
    assert_true(cly_clock_now() - before < 2);
    assert_int_equal(finish(tickets[0])->error.kind, CLY_OK);
    for (int i = 1; i < CAPACITY; i++) {
        assert_int_equal(finish(tickets[i])->error.kind, CLY_CANCELED);
        assert_int_equal(finish(tickets[i])->error.outcome, i <= FLIGHT ? CLY_UNKNOWN : CLY_NOT_SENT);
    }
    assert_int_equal(try_submit(answering.url, 30, 0, &late, &error), CLY_CLOSED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_true(late == 77);
    assert_int_equal(stats_that_add_up().in_flight, 0);
    cly_call_table_cancel(calls(), tickets[1]);
    cly_worker_wait(worker, 5, 60);
    for (int i = 0; i < CAPACITY; i++) cly_call_table_release(calls(), tickets[i]);
    assert_true(call_first_done(calls(), 0) == 0);
}

static void what_was_just_submitted_is_ended_too(void **state) {
    cly_ticket tickets[CAPACITY];
    (void)state;
    for (int i = 0; i < CAPACITY; i++) tickets[i] = submit(silent_url);
    assert_int_equal(cly_worker_stop(worker, 0), CAPACITY);
    for (int i = 0; i < CAPACITY; i++) assert_int_equal(finish(tickets[i])->error.kind, CLY_CANCELED);
}

/* It could be repeated, but there is no next time. */
static void a_stop_in_the_middle_of_a_429_drops_no_call(void **state) {
    cly_ticket ticket = submit_half_answered();
    (void)state;
    assert_int_equal(cly_worker_stop(worker, 0), 1);
    assert_true(cly_call_table_is_done(calls(), ticket));
    assert_int_equal(stats_that_add_up().in_flight, 0);
}

static void a_stopped_worker_is_not_waited_for(void **state) {
    double before;
    (void)state;
    cly_worker_stop(worker, 0);
    before = cly_clock_now();
    cly_worker_wait(worker, 0, 30);
    assert_true(cly_clock_now() - before < 5);
    assert_int_equal(cly_call_table_stats(calls()).calls, 0);
}

/* `end` frees it. */
static void it_may_be_freed_with_calls_in_flight(void **state) {
    (void)state;
    submit(silent_url);
    cly_call_table_release(calls(), submit(silent_url));
    submit(answering.url);
    usleep(10 * 1000);
    cly_call_table_detach(calls(), submit(silent_url));
}

static void null_may_be_freed(void **state) {
    (void)state;
    cly_worker_free(NULL);
    cly_worker_abandon(NULL);
}

/* ---- being told ---- */

static bool is_readable(int descriptor, int milliseconds) {
    struct pollfd watched = {descriptor, POLLIN, 0};
    return poll(&watched, 1, milliseconds) == 1;
}

static void the_descriptor_says_that_something_ended(void **state) {
    int descriptor = cly_worker_descriptor(worker);
    (void)state;
    assert_true(descriptor >= 0);
    assert_false(is_readable(descriptor, 0));
    submit(answering.url);
    assert_true(is_readable(descriptor, 5000));
    cly_worker_acknowledge(worker);
    assert_false(is_readable(descriptor, 50));
    finish(submit(answering.url));
    assert_true(is_readable(descriptor, 0));
}

static void a_descriptor_asked_for_late_knows_what_was_before(void **state) {
    (void)state;
    finish(submit(answering.url));
    assert_true(is_readable(cly_worker_descriptor(worker), 0));
}

static int connect_to(const char *path) {
    struct sockaddr_un address;
    int made = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(made, (struct sockaddr *)&address, sizeof address) == 0) return made;
    close(made);
    return -1;
}

/* A line within five seconds, or "". */
static const char *read_line(int peer) {
    static char line[64];
    size_t length = 0;
    while (length < sizeof line - 1 && is_readable(peer, 5000) && recv(peer, line + length, 1, 0) == 1)
        if (line[length++] == '\n') break;
    line[length] = '\0';
    return line;
}

static int connect_peer(void) {
    char path[200];
    const char *given = cly_worker_listen(worker, NULL);
    double until = cly_clock_now() + 5;
    int peer;
    assert_non_null(given);
    strcpy(path, given);
    peer = connect_to(path);
    assert_true(peer >= 0);
    assert_string_equal(read_line(peer), "0\n"); /* it is to look around */
    while (access(path, F_OK) == 0 && cly_clock_now() < until) usleep(1000);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(connect_to(path), -1); /* the first is the only one */
    return peer;
}

static void the_socket_lies_in_a_private_folder(void **state) {
    char path[200];
    struct stat folder;
    (void)state;
    strcpy(path, cly_worker_listen(worker, NULL));
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &folder), 0);
    assert_int_equal(folder.st_mode & 0777, 0700);
    assert_true(folder.st_uid == getuid());
    free_worker();
    assert_int_equal(stat(path, &folder), -1);
}

static void each_ended_call_is_a_line(void **state) {
    int peer = connect_peer();
    (void)state;
    for (int i = 0; i < 10; i++) {
        cly_ticket ticket = submit(i % 2 ? silent_url : answering.url);
        char expected[32];
        if (i % 2) cly_call_table_cancel(calls(), ticket);
        snprintf(expected, sizeof expected, "%llu\n", (unsigned long long)ticket);
        assert_string_equal(read_line(peer), expected);
        assert_true(cly_call_table_is_done(calls(), ticket));
        cly_call_table_release(calls(), ticket);
    }
    assert_false(is_readable(peer, 20));
    close(peer);
}

static void a_peer_that_goes_does_no_harm(void **state) {
    int peer = connect_peer();
    (void)state;
    close(peer);
    for (int i = 0; i < 10; i++) {
        cly_ticket ticket = submit(answering.url);
        assert_int_equal(finish(ticket)->error.kind, CLY_OK);
        cly_call_table_release(calls(), ticket);
    }
    peer = connect_peer(); /* another may come */
    submit(answering.url);
    assert_true(read_line(peer)[0] != '\0');
    close(peer);
}

static void a_peer_that_never_reads_does_no_harm(void **state) {
    int peer = connect_peer();
    (void)state;
    for (int i = 0; i < 300; i++) {
        cly_ticket ticket = submit(answering.url);
        finish(ticket);
        cly_call_table_release(calls(), ticket);
    }
    close(peer);
}

static void ended_calls_are_named_once_and_in_order(void **state) {
    cly_ticket first, second, third;
    (void)state;
    assert_true(cly_call_table_next_ended(calls()) == 0);
    first = submit(answering.url);
    finish(first);
    second = submit(silent_url);
    cly_call_table_cancel(calls(), second);
    finish(second);
    third = submit(answering.url);
    finish(third);
    cly_call_table_release(calls(), second); /* released ones are passed over */
    assert_true(cly_call_table_next_ended(calls()) == first);
    assert_true(cly_call_table_next_ended(calls()) == third);
    assert_true(cly_call_table_next_ended(calls()) == 0);
    finish(second = submit(answering.url));
    assert_true(cly_call_table_next_ended(calls()) == second);
    assert_true(cly_call_table_next_ended(calls()) == 0);
}

/* ---- a shared limiter ---- */

static void wait_for_wanted(int count) {
    double until = cly_clock_now() + 5;
    while (cly_engine_permits_wanted(at_work) != count && cly_clock_now() < until) usleep(1000);
    assert_int_equal(cly_engine_permits_wanted(at_work), count);
}

static void nothing_leaves_without_a_permit(void **state) {
    cly_ticket first, second;
    int descriptor, peer;
    (void)state;
    options.is_shared = true;
    reopen(CAPACITY);
    descriptor = cly_worker_descriptor(worker);
    peer = connect_peer();
    first = submit(answering.url);
    assert_string_equal(read_line(peer), "0\n");
    assert_true(is_readable(descriptor, 5000));
    second = submit(answering.url);
    wait_for_wanted(2);
    assert_int_equal(server_requests(&answering), 0);
    cly_engine_give_permit(at_work, cly_clock_now());
    assert_int_equal(finish(first)->error.kind, CLY_OK);
    wait_for_wanted(1);
    assert_int_equal(server_requests(&answering), 1);
    cly_engine_give_permit(at_work, cly_clock_now() + 0.02);
    assert_int_equal(finish(second)->error.kind, CLY_OK);
    wait_for_wanted(0);
    close(peer);
}

static void a_permit_that_is_late_is_asked_for_again(void **state) {
    cly_ticket ticket;
    (void)state;
    options.is_shared = true;
    reopen(CAPACITY);
    ticket = submit(answering.url);
    wait_for_wanted(1);
    cly_engine_give_permit(at_work, cly_clock_now() - 1);
    wait_for_wanted(1);
    assert_int_equal(server_requests(&answering), 0);
    cly_engine_give_permit(at_work, cly_clock_now());
    assert_int_equal(finish(ticket)->error.kind, CLY_OK);
}

/* Each attempt takes a permit of its own, and the pause is told once. */
static void a_retry_wants_its_own_permit(void **state) {
    static const char *const replies[] = {REPLY_429("0"), REPLY_429("1"), REPLY_OK};
    cly_ticket ticket;
    double until = cly_clock_now() + 10;
    int given = 0;
    (void)state;
    options.is_shared = true;
    options.max_attempts = 3;
    reopen(CAPACITY);
    server_serve(&answering, replies, 3);
    ticket = submit(answering.url);
    while (!cly_call_table_is_done(calls(), ticket) && cly_clock_now() < until) {
        if (cly_engine_permits_wanted(at_work) > 0) {
            cly_engine_give_permit(at_work, cly_clock_now());
            given++;
        }
        usleep(5000);
    }
    assert_int_equal(finish(ticket)->error.kind, CLY_OK);
    assert_int_equal(finish(ticket)->attempts, 3);
    assert_true(given >= 3);
    assert_true(cly_engine_take_pause(at_work) == 1);
    assert_true(cly_engine_take_pause(at_work) == 0);
}

static sig_atomic_t volatile signaled;
static pthread_t signaled_thread;

static void on_signal(int number) {
    (void)number;
    signaled_thread = pthread_self();
    signaled++;
}

/* Blocked here, a signal finds no other thread that would take it. */
static void signals_are_the_programs(void **state) {
    struct sigaction action, before;
    sigset_t one, old;
    (void)state;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, &before);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, &old);
    submit(silent_url);
    kill(getpid(), SIGUSR1);
    usleep(50 * 1000);
    assert_int_equal(signaled, 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    for (int i = 0; i < 500 && signaled == 0; i++) usleep(10 * 1000);
    assert_int_equal(signaled, 1);
    assert_true(pthread_equal(signaled_thread, pthread_self()));
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- many at once ---- */

static int race_count(void) {
    const char *given = getenv("CONNECTLY_RACES");
    return given && *given ? atoi(given) : 10000;
}

static uint64_t next_chance(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Starts a call and does one of all that can be done to it, soon or later. */
static void race_once(uint64_t *seed) {
    uint64_t chance = next_chance(seed);
    unsigned group = 1 + (unsigned)(chance >> 20 & 3);
    const char *where = chance >> 10 & 1 ? answering.url : silent_url;
    cly_ticket ticket = 0;
    if (try_submit(where, 30, group, &ticket, NULL) != CLY_OK) return;
    if (chance >> 11 & 1) usleep((useconds_t)(chance >> 30 & 127));
    switch (chance & 7) {
    case 0: cly_call_table_cancel(calls(), ticket); break;
    case 1: /* a silent one would keep a connection for half a minute */
        if (where == answering.url) cly_call_table_detach(calls(), ticket);
        break;
    case 2: cly_worker_wait_for(worker, ticket, 0.0001); break;
    case 3: cly_worker_acknowledge(worker); break;
    case 4: cly_call_table_stats(calls()); break;
    case 5: cly_worker_wait(worker, group, 0.0001); break;
    default: break;
    }
    if (cly_call_table_is_done(calls(), ticket)) {
        const cly_call *call = call_result(calls(), ticket).call;
        assert_true(call->state == CLY_CALL_DONE);
        assert_true(call->error.kind == CLY_OK || call->error.kind == CLY_CANCELED);
    }
    cly_call_table_release(calls(), ticket);
}

static void *race(void *data) {
    uint64_t seed = (uint64_t)(uintptr_t)data * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < race_count() / 2; i++) {
        cly_event event;
        race_once(&seed);
        while (cly_call_table_take_event(calls(), &event)) continue;
    }
    return NULL;
}

static void races_of_two_threads_lose_nothing(void **state) {
    pthread_t threads[2];
    cly_stats stats;
    double until;
    int peer;
    (void)state;
    options.max_in_flight = 1000;
    options.wants_events = true;
    reopen(10000);
    cly_worker_descriptor(worker);
    peer = connect_peer();
    for (uintptr_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, (void *)(i + 1)), 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    until = cly_clock_now() + 5; /* what is released ends soon after */
    do {
        stats = stats_that_add_up();
        if (stats.succeeded + stats.not_sent + stats.unknown > (uint64_t)race_count() * 9 / 10) break;
        usleep(10 * 1000);
    } while (cly_clock_now() < until);
    cly_worker_stop(worker, 0);
    stats = stats_that_add_up();
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.rejected, 0);
    assert_true(stats.calls > (uint64_t)race_count() / 2);
    assert_true(stats.succeeded > (uint64_t)race_count() / 20);
    for (unsigned group = 1; group < 5; group++) assert_true(call_first_done(calls(), group) == 0);
    close(peer);
}

/* One submits and waits while the other stops it. */
static void *submit_until_closed(void *data) {
    cly_kind kind = CLY_OK;
    (void)data;
    while (kind != CLY_CLOSED) {
        cly_ticket ticket = 0;
        kind = try_submit(answering.url, 30, 0, &ticket, NULL);
        if (kind != CLY_OK) continue;
        cly_worker_wait_for(worker, ticket, 0.001);
        cly_call_table_cancel(calls(), ticket);
        cly_call_table_release(calls(), ticket);
    }
    return NULL;
}

/* A start, a wait, a cancel and a close against each other; 10,000 of them when
 * CONNECTLY_RACES says 20,000, as `make tsan` does. */
static void a_stop_may_come_at_any_moment(void **state) {
    int count = getenv("CONNECTLY_RACES") ? race_count() / 2 : 1000;
    (void)state;
    for (int i = 0; i < count; i++) {
        pthread_t other;
        reopen(CAPACITY);
        assert_int_equal(pthread_create(&other, NULL, submit_until_closed, NULL), 0);
        usleep((useconds_t)(i * 37 % 1000));
        cly_worker_stop(worker, i % 3 ? 0 : 1);
        pthread_join(other, NULL);
        assert_int_equal(stats_that_add_up().in_flight, 0);
    }
}

/* ---- one that is left ---- */

/* Holds all that its engine borrows, and counts its end. */
typedef struct orphan {
    cly_ca_paths ca_paths;
    char secret[8], user_agent[8];
    atomic_int *dones, *ended;
} orphan;

static void end_orphan(void *context, int count) {
    orphan *gone = context;
    atomic_int *how_many = gone->dones;
    atomic_fetch_add(gone->ended, count);
    memset(gone, 0, sizeof *gone);
    free(gone);
    atomic_fetch_add(how_many, 1);
}

/* An engine with these options borrows memory that `end_orphan` frees. */
static orphan *lend(cly_engine_options *borrower) {
    orphan *made = calloc(1, sizeof *made);
    assert_non_null(made);
    strcpy(made->secret, "secret");
    strcpy(made->user_agent, "spec");
    made->dones = &dones;
    made->ended = &ended;
    borrower->settings.ca_paths = &made->ca_paths;
    borrower->settings.user_agent = made->user_agent;
    borrower->secret = made->secret;
    return made;
}

/* Another worker, whose engine borrows so. */
static orphan *reopen_orphan(void) {
    orphan *made = lend(&options);
    reopen(CAPACITY);
    return made;
}

/* Returns at once, whatever is under way. */
static void leave(orphan *own, double seconds) {
    double before = cly_clock_now();
    cly_worker *left = worker;
    worker = NULL;
    cly_worker_leave(left, seconds, end_orphan, own);
    assert_true(cly_clock_now() - before < 1);
}

static void wait_for_dones(int count) {
    double until = cly_clock_now() + 20;
    while (atomic_load(&dones) < count && cly_clock_now() < until) usleep(1000);
    assert_int_equal(atomic_load(&dones), count);
}

/* Calls under way, queued ones, detached ones. */
static void a_left_one_goes_on_by_itself(void **state) {
    orphan *own;
    (void)state;
    options.rate = 10;
    own = reopen_orphan();
    for (int i = 0; i < CAPACITY; i++) {
        cly_ticket ticket = submit(answering.url);
        if (i == 0) finish(ticket); /* unread */
        if (i == 1) cly_call_table_detach(calls(), ticket);
    }
    leave(own, 20);
    wait_for_dones(1);
    assert_int_equal(atomic_load(&ended), 0);
    assert_int_equal(server_requests(&answering), CAPACITY);
}

static void a_left_one_ends_what_is_left_in_time(void **state) {
    orphan *own = reopen_orphan();
    double before = cly_clock_now();
    (void)state;
    for (int i = 0; i < CAPACITY - 1; i++) submit(silent_url);
    leave(own, 1.5);
    assert_int_equal(atomic_load(&dones), 0);
    wait_for_dones(1);
    assert_true(cly_clock_now() - before >= 1.5);
    assert_int_equal(atomic_load(&ended), CAPACITY - 1);
}

static void a_left_one_without_time_ends_all_at_once(void **state) {
    orphan *own = reopen_orphan();
    (void)state;
    submit(silent_url);
    leave(own, 0);
    wait_for_dones(1);
    assert_int_equal(atomic_load(&ended), 1);
}

static void a_left_one_at_rest_ends_at_once(void **state) {
    orphan *own = reopen_orphan();
    double before = cly_clock_now();
    (void)state;
    finish(submit(answering.url)); /* its connection is open */
    leave(own, 60);
    wait_for_dones(1);
    assert_true(cly_clock_now() - before < 10);
    assert_int_equal(atomic_load(&ended), 0);
}

static void its_end_need_not_be_told(void **state) {
    (void)state;
    reopen(CAPACITY);
    submit(answering.url);
    cly_worker_leave(worker, 5, NULL, NULL);
    worker = NULL;
    server_await(&answering, 1);
}

/* No permits are asked for it any more. */
static void a_left_one_gets_no_permits(void **state) {
    orphan *own;
    (void)state;
    options.is_shared = true;
    own = reopen_orphan();
    submit(answering.url);
    leave(own, 0.3);
    wait_for_dones(1);
    assert_int_equal(atomic_load(&ended), 1);
    assert_int_equal(server_requests(&answering), 0);
}

/* The peer hears of nothing but the end of the socket. */
static void the_peer_of_a_left_one_sees_its_end(void **state) {
    orphan *own;
    int peer;
    char byte;
    (void)state;
    own = reopen_orphan();
    peer = connect_peer();
    submit(silent_url);
    leave(own, 0.5);
    assert_true(is_readable(peer, 5000));
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    close(peer);
    wait_for_dones(1);
}

static void the_path_of_a_left_one_goes(void **state) {
    char path[200];
    orphan *own = reopen_orphan();
    (void)state;
    strcpy(path, cly_worker_listen(worker, NULL));
    assert_int_equal(access(path, F_OK), 0);
    leave(own, 0);
    wait_for_dones(1);
    assert_int_equal(access(path, F_OK), -1);
}

/* One is left while others end, and others are made. */
static void one_may_be_left_at_any_moment(void **state) {
    int count = getenv("CONNECTLY_RACES") ? race_count() / 4 : 1000;
    (void)state;
    for (int i = 0; i < count; i++) {
        orphan *own = reopen_orphan();
        if (i % 3 == 0) cly_worker_listen(worker, NULL);
        for (int call = 0; call < i % 4; call++) submit(call % 2 ? silent_url : answering.url);
        usleep((useconds_t)(i * 37 % 1000));
        leave(own, i % 5 ? 0 : 0.01);
    }
    wait_for_dones(count);
}

/* From two threads, as two states of Lua would. */
static void *leave_many(void *data) {
    (void)data;
    for (int i = 0; i < 200; i++) {
        cly_engine_options borrowed = options;
        orphan *own = lend(&borrowed);
        cly_engine *engine = NULL;
        cly_worker *made = NULL;
        if (cly_engine_new(&engine, &borrowed, NULL) != CLY_OK) return NULL;
        if (cly_worker_new(&made, engine, NULL) != CLY_OK) return NULL;
        cly_worker_leave(made, 1, end_orphan, own);
    }
    return NULL;
}

static void several_threads_may_leave_theirs(void **state) {
    pthread_t threads[3];
    (void)state;
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, leave_many, NULL), 0);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    wait_for_dones(600);
}

/* ---- descriptors and memory ---- */

/* Of the process: "fd" or "task". */
static int count_of(const char *kind) {
    char path[32];
    DIR *folder;
    int count = 0;
    snprintf(path, sizeof path, "/proc/self/%s", kind);
    folder = opendir(path);
    if (folder == NULL) return 0;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void a_thousand_workers_leave_nothing(void **state) {
    int before;
    long live;
    (void)state;
    free_worker();
    before = count_of("fd");
    live = memory_live();
    for (int i = 0; i < 1000; i++) {
        open_worker(CAPACITY);
        if (i % 4 == 1) cly_worker_descriptor(worker);
        if (i % 4 == 2) assert_non_null(cly_worker_listen(worker, NULL));
        if (i % 8 == 3) submit(silent_url);
        if (i % 8 == 7) finish(submit(answering.url));
        if (i % 2) cly_worker_stop(worker, 0);
        free_worker();
    }
    assert_int_equal(memory_live(), live);
    assert_true(count_of("fd") <= before + SERVER_PEERS); /* the server's own side closes later */
    server_stop(&answering);
    assert_true(count_of("fd") <= before - 3);
    assert_true(server_start(&answering, always_ok, 1));
}

/* The last one's memory goes a moment after it was heard of. */
static void a_thousand_that_were_left_leave_nothing(void **state) {
    double until = cly_clock_now() + 20;
    int descriptors, threads;
    long live;
    (void)state;
    free_worker();
    descriptors = count_of("fd");
    threads = count_of("task");
    live = memory_live();
    for (int i = 0; i < 1000; i++) {
        orphan *own = reopen_orphan();
        if (i % 4 == 1) cly_worker_descriptor(worker);
        if (i % 4 == 2) assert_non_null(cly_worker_listen(worker, NULL));
        if (i % 8 == 3) submit(silent_url);
        if (i % 8 == 7) finish(submit(answering.url));
        leave(own, i % 8 == 3 ? 0 : 5);
    }
    wait_for_dones(1000);
    while ((memory_live() != live || count_of("task") != threads) && cly_clock_now() < until) usleep(1000);
    assert_int_equal(memory_live(), live);
    assert_int_equal(count_of("task"), threads);
    assert_true(count_of("fd") <= descriptors + SERVER_PEERS);
}

/* Of the submit, which then takes nothing, or of the thread, which says so or
 * tries again; in no case is it silent. */
static void every_allocation_may_fail(void **state) {
    bool has_failed = true;
    (void)state;
    for (long n = 0; has_failed; n++) {
        cly_submission submission;
        cly_ticket ticket = 77;
        cly_buffer body;
        cly_error error;
        cly_kind kind;
        reopen(CAPACITY);
        submission = call_submission(answering.url, 5);
        call_body(&submission, &body);
        cly_error_clear(&error);
        memory_fail(n, MEMORY_FAILS_ONCE);
        kind = cly_call_table_submit(calls(), &ticket, &submission, &error);
        if (kind != CLY_OK) {
            assert_int_equal(kind, CLY_OVERLOADED);
            assert_int_equal(error.outcome, CLY_NOT_SENT);
            assert_true(ticket == 77);
            assert_int_equal(body.length, 2);
        } else {
            double before = cly_clock_now();
            const cly_error *end_of_it = &finish(ticket)->error;
            assert_true(cly_clock_now() - before < 3); /* long before its time is up */
            assert_true(end_of_it->kind == CLY_OK || end_of_it->kind == CLY_OVERLOADED ||
                        end_of_it->outcome == CLY_UNKNOWN);
        }
        has_failed = memory_restore();
        cly_buffer_clear(&body);
    }
}

/* ---- another process ---- */

static int live_in_child(void) {
    cly_engine *fresh = NULL;
    cly_ticket ticket;
    cly_worker_abandon(worker);
    if (cly_engine_new(&fresh, &options, NULL) != CLY_OK) return 1;
    if (call_submit(cly_engine_calls(fresh), call_submission(answering.url, 5), &ticket, NULL) != CLY_OK)
        return 2;
    for (int i = 0; i < 200 && !cly_call_table_is_done(cly_engine_calls(fresh), ticket); i++)
        cly_engine_step(fresh, 0, 0.05, NULL, 0);
    if (!cly_call_table_is_done(cly_engine_calls(fresh), ticket) ||
        call_result(cly_engine_calls(fresh), ticket).call->error.kind != CLY_OK)
        return 3;
    cly_engine_free(fresh);
    return 0;
}

static void a_fork_leaves_the_parents_calls_alone(void **state) {
    static const char *const replies[] = {REPLY_OK, SILENCE, REPLY_OK};
    cly_ticket silent, after;
    char path[200];
    (void)state;
    server_serve(&answering, replies, 3);
    finish(submit(answering.url)); /* a connection is kept open */
    silent = submit(answering.url);
    server_await(&answering, 2);
    strcpy(path, cly_worker_listen(worker, NULL));
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) child_end(live_in_child());
        child_await(child);
    }
    assert_int_equal(access(path, F_OK), 0); /* the parent's to remove */
    assert_false(cly_call_table_is_done(calls(), silent));
    after = submit(answering.url);
    assert_int_equal(finish(after)->error.kind, CLY_OK);
    cly_call_table_cancel(calls(), silent);
    assert_int_equal(finish(silent)->error.outcome, CLY_UNKNOWN);
    assert_int_equal(server_requests(&answering), 8);
}

/* A fork may find the lock held and the thread in the middle of anything. */
static void a_fork_may_come_at_any_moment(void **state) {
    int peer = connect_peer();
    (void)state;
    for (int i = 0; i < 50; i++) {
        cly_ticket ticket = submit(answering.url);
        pid_t child;
        usleep((useconds_t)(i * 20));
        child = fork();
        if (child == 0) {
            cly_worker_abandon(worker);
            child_end(0);
        }
        child_await(child);
        assert_int_equal(finish(ticket)->error.kind, CLY_OK);
        cly_call_table_release(calls(), ticket);
    }
    for (int i = 0; i < 50; i++) assert_true(read_line(peer)[0] != '\0');
    close(peer);
}

/* Sanitizers do not survive a thread that is made in a child of several threads. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { CHILD_HAS_THREADS = false };
#else
enum { CHILD_HAS_THREADS = true };
#endif

static void leave_in_child(void) {
    int parents = atomic_load(&dones);
    orphan *own = reopen_orphan();
    finish(submit(answering.url));
    leave(own, 5);
    wait_for_dones(parents + 1);
}

/* The thread of one that was left may hold any lock just then; a child has no part
 * in it, and makes its own. */
static void a_fork_may_come_while_those_end_that_were_left(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        orphan *own = reopen_orphan();
        pid_t child;
        submit(i % 2 ? answering.url : silent_url);
        leave(own, i % 2 ? 5 : 0.002);
        usleep((useconds_t)(i * 20));
        child = fork();
        if (child == 0) {
            if (CHILD_HAS_THREADS) leave_in_child();
            child_end(0);
        }
        child_await(child);
    }
    wait_for_dones(50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(calls_under_way_keep_tickets_groups_and_results),
        TEST(replies_account_for_the_entries_of_each_call),
        TEST(replies_to_calls_that_were_under_way_account_too),
        TEST(a_call_comes_back_with_its_result),
        TEST(it_makes_progress_without_being_waited_for),
        TEST(a_result_is_there_when_it_is_done_and_not_before),
        TEST(tickets_that_never_were_are_none),
        TEST(a_full_table_takes_no_more),
        TEST(a_canceled_call_lets_the_next_go),
        TEST(those_that_wait_for_room_run_out_of_time),
        TEST(those_that_wait_for_a_connection_run_out_of_time),
        TEST(those_that_the_limiter_keeps_run_out_of_time),
        TEST(no_second_holds_more_than_the_rate),
        TEST(a_cancel_of_a_queued_call),
        TEST(a_cancel_of_an_attempt),
        TEST(a_cancel_in_the_middle_of_a_429_is_the_end),
        TEST(a_released_call_is_ended_and_its_record_used_again),
        TEST(a_detached_call_goes_on_and_gives_its_record_back),
        TEST(groups_are_kept_apart),
        TEST(a_stop_with_time_drains_all),
        TEST(a_stop_drains_detached_calls),
        TEST(a_stop_without_time_ends_all_and_says_how_many),
        TEST(what_was_just_submitted_is_ended_too),
        TEST(a_stop_in_the_middle_of_a_429_drops_no_call),
        TEST(a_stopped_worker_is_not_waited_for),
        TEST(it_may_be_freed_with_calls_in_flight),
        cmocka_unit_test(null_may_be_freed),
        TEST(the_descriptor_says_that_something_ended),
        TEST(a_descriptor_asked_for_late_knows_what_was_before),
        TEST(the_socket_lies_in_a_private_folder),
        TEST(each_ended_call_is_a_line),
        TEST(a_peer_that_goes_does_no_harm),
        TEST(a_peer_that_never_reads_does_no_harm),
        TEST(ended_calls_are_named_once_and_in_order),
        TEST(nothing_leaves_without_a_permit),
        TEST(a_permit_that_is_late_is_asked_for_again),
        TEST(a_retry_wants_its_own_permit),
        TEST(signals_are_the_programs),
        TEST(races_of_two_threads_lose_nothing),
        TEST(a_stop_may_come_at_any_moment),
        TEST(a_thousand_workers_leave_nothing),
        TEST(every_allocation_may_fail),
        TEST(a_thousand_that_were_left_leave_nothing), /* before others, whose memory goes when they are heard
                                                          of */
        TEST(a_left_one_goes_on_by_itself),
        TEST(a_left_one_ends_what_is_left_in_time),
        TEST(a_left_one_without_time_ends_all_at_once),
        TEST(a_left_one_at_rest_ends_at_once),
        TEST(its_end_need_not_be_told),
        TEST(a_left_one_gets_no_permits),
        TEST(the_peer_of_a_left_one_sees_its_end),
        TEST(the_path_of_a_left_one_goes),
        TEST(one_may_be_left_at_any_moment),
        TEST(several_threads_may_leave_theirs),
        TEST(a_fork_leaves_the_parents_calls_alone),
        TEST(a_fork_may_come_at_any_moment),
        TEST(a_fork_may_come_while_those_end_that_were_left),
    };
    return cmocka_run_group_tests_name("io/worker", tests, NULL, NULL);
}
