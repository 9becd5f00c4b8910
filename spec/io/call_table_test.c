/* The table of calls without a network: the tests move records as an engine does. */
#include "io/call_table.h"

#include "io/system/clock.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include <math.h>
#include <pthread.h>
#include <string.h>

enum { FLIGHT = 3, CAPACITY = 5, MOST = 8, FIRST = 100 };

static cly_call_table *table;
static cly_call_rules rules;

static int begin(void **state) {
    (void)state;
    rules.policy.max_attempts = 3;
    rules.policy.retry_unknown = rules.is_outage = false;
    rules.quota = cly_retry_quota_make();
    rules.secret = NULL;
    table = cly_call_table_new(FLIGHT, CAPACITY, MOST, FIRST);
    return table ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    cly_call_table_free(table);
    table = NULL;
    return 0;
}

/* ---- the callers' side ---- */

static cly_submission submission_at(double now, double timeout, unsigned group, cly_buffer *body) {
    cly_submission submission = call_submission("http://127.0.0.1/x", timeout);
    call_body(&submission, body);
    submission.submitted_at = now;
    submission.group = group;
    return submission;
}

static cly_kind try_submit(cly_ticket *ticket, double now, double timeout, unsigned group) {
    cly_error error;
    cly_buffer body;
    cly_submission submission = submission_at(now, timeout, group, &body);
    cly_kind kind;
    cly_error_clear(&error);
    kind = cly_call_table_submit(table, ticket, &submission, &error);
    assert_int_equal(body.length, kind == CLY_OK ? 0 : 2); /* taken, or still the caller's */
    if (kind != CLY_OK) assert_int_equal(error.outcome, CLY_NOT_SENT);
    cly_buffer_clear(&body);
    return kind;
}

static cly_ticket submit_at(double now, double timeout) {
    cly_ticket ticket = 0;
    assert_int_equal(try_submit(&ticket, now, timeout, 0), CLY_OK);
    assert_true(ticket != 0 && ticket < (cly_ticket)1 << 53);
    return ticket;
}

static cly_ticket submit(void) {
    return submit_at(0, 1e9);
}

static const cly_call *call_of(cly_ticket ticket) {
    return call_result(table, ticket).call;
}

/* ---- the engine's side ---- */

static cly_record *record_of(cly_ticket ticket) {
    cly_record *record = table->records.all[cly_ticket_index(ticket)];
    assert_int_equal(record->generation, cly_ticket_generation(ticket));
    return record;
}

static cly_record_state state_of(cly_ticket ticket) {
    return record_of(ticket)->state;
}

static double advance(double now) {
    double wait;
    cly_call_table_lock(table);
    wait = cly_records_advance(&table->records, now);
    cly_call_table_unlock(table);
    return wait;
}

static void start(cly_ticket ticket) {
    cly_record *record = record_of(ticket);
    assert_int_equal(record->state, CLY_RECORD_READY);
    cly_call_table_lock(table);
    cly_call_sent(&record->call);
    cly_records_move(&table->records, record, CLY_RECORD_RUNNING);
    cly_call_table_unlock(table);
}

/* As an engine does at the end of an attempt. */
static void end_attempt(cly_record *record, cly_report report, double now) {
    assert_int_equal(record->state, CLY_RECORD_RUNNING);
    cly_call_table_lock(table);
    cly_call_report(&record->call, &rules, &report, 0.5, now);
    if (record->call.state == CLY_CALL_DONE)
        cly_records_end(&table->records, record);
    else
        cly_records_move(&table->records, record, CLY_RECORD_WAITING);
    cly_call_table_unlock(table);
}

static void answer(cly_record *record) {
    static const char body[] = "{\"id\":\"a\"}";
    const cly_report report = {CLY_END_REPLY, true, 200, -1, NULL, body, sizeof body - 1};
    end_attempt(record, report, 1);
}

static void lose(cly_record *record, double now) {
    const cly_report report = {CLY_END_LOST, false, 0, -1, "why", NULL, 0};
    end_attempt(record, report, now);
}

/* A call in this state. */
static cly_ticket bring_to(cly_record_state wanted) {
    cly_ticket ticket;
    if (wanted == CLY_RECORD_QUEUED)
        while (table->records.active < FLIGHT) submit();
    ticket = submit();
    if (wanted >= CLY_RECORD_WAITING) start(ticket);
    if (wanted == CLY_RECORD_WAITING) lose(record_of(ticket), 0);
    if (wanted == CLY_RECORD_DONE) answer(record_of(ticket));
    assert_int_equal(state_of(ticket), wanted);
    return ticket;
}

static void expect_empty(void) {
    for (int i = 0; i < table->records.count; i++)
        assert_int_equal(table->records.all[i]->state, CLY_RECORD_FREE);
    assert_int_equal(table->records.active, 0);
    assert_int_equal(cly_call_table_stats(table).in_flight, 0);
}

/* ---- tickets ---- */

static void a_ticket_names_a_record_and_its_use(void **state) {
    cly_ticket first = submit(), second = submit();
    (void)state;
    assert_int_equal(cly_ticket_generation(first), FIRST + 1);
    assert_int_equal(cly_ticket_index(first), 0);
    assert_int_equal(cly_ticket_index(second), 1);
    assert_true(cly_ticket_make(FIRST + 1, 1) == second);
    cly_call_table_release(table, first);
    assert_int_equal(cly_ticket_index(submit()), 0);
    assert_false(cly_call_table_is_known(table, first));
}

static void tickets_are_never_used_again(void **state) {
    cly_ticket before = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        cly_ticket ticket = submit();
        assert_true(ticket > before);
        before = ticket;
        cly_call_table_release(table, ticket);
        assert_false(cly_call_table_is_known(table, ticket));
        assert_int_equal(table->records.count, 1);
    }
}

static void other_numbers_are_no_tickets(void **state) {
    const cly_ticket odd[] = {0,    1, 65535, (cly_ticket)1 << 16, UINT64_MAX, cly_ticket_make(FIRST, 0),
                              MOST, 3};
    cly_ticket real = submit(), far = real | (cly_ticket)1 << 50;
    cly_result result;
    (void)state;
    assert_false(cly_call_table_is_known(table, far));
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        assert_false(cly_call_table_is_known(table, odd[i]));
        assert_false(cly_call_table_is_done(table, odd[i]));
        assert_false(cly_call_table_result(table, odd[i], &result));
        cly_call_table_cancel(table, odd[i]);
        cly_call_table_detach(table, odd[i]);
        cly_call_table_release(table, odd[i]);
    }
    assert_true(cly_call_table_is_known(table, real));
    assert_int_equal(cly_call_table_stats(table).in_flight, 1);
}

static void no_table_has_no_calls(void **state) {
    cly_event event;
    cly_result result;
    cly_ticket ticket = 77;
    cly_submission none = {0};
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    assert_int_equal(cly_call_table_submit(NULL, &ticket, &none, &error), CLY_CLOSED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_true(ticket == 77);
    assert_false(cly_call_table_is_known(NULL, 1) || cly_call_table_is_done(NULL, 1));
    assert_false(cly_call_table_result(NULL, 1, &result) || cly_call_table_take_event(NULL, &event));
    assert_true(call_first_done(NULL, 0) == 0 && cly_call_table_next_ended(NULL) == 0);
    assert_int_equal(cly_call_table_stats(NULL).calls, 0);
    cly_call_table_cancel(NULL, 1);
    cly_call_table_release(NULL, 1);
    cly_call_table_detach(NULL, 1);
    cly_call_table_detach_group(NULL, 0);
    cly_call_table_free(NULL);
}

/* ---- room ---- */

static void beyond_its_capacity_it_takes_none(void **state) {
    cly_ticket tickets[CAPACITY], more = 77;
    (void)state;
    for (int i = 0; i < CAPACITY; i++) {
        assert_true(cly_records_has_room(&table->records));
        tickets[i] = submit();
    }
    assert_false(cly_records_has_room(&table->records));
    assert_int_equal(try_submit(&more, 0, 30, 0), CLY_OVERLOADED);
    assert_true(more == 77);
    assert_int_equal(cly_call_table_stats(table).calls, CAPACITY);
    start(tickets[0]);
    answer(record_of(tickets[0]));
    assert_false(cly_records_has_room(&table->records)); /* its result has not been read */
    cly_call_table_release(table, tickets[0]);
    assert_true(cly_records_has_room(&table->records));
    submit();
    assert_false(cly_records_has_room(&table->records));
}

static void capacity_may_be_raised_to_the_most(void **state) {
    cly_ticket more;
    (void)state;
    for (int i = 0; i < CAPACITY; i++) submit();
    table->records.capacity = MOST;
    for (int i = CAPACITY; i < MOST; i++) submit();
    assert_int_equal(try_submit(&more, 0, 30, 0), CLY_OVERLOADED);
}

static void a_closed_table_takes_none(void **state) {
    cly_ticket more = 77;
    (void)state;
    table->records.is_closed = true;
    assert_int_equal(try_submit(&more, 0, 30, 0), CLY_CLOSED);
    assert_true(more == 77);
    assert_int_equal(cly_call_table_stats(table).calls, 0);
}

static void calls_beyond_max_in_flight_are_queued(void **state) {
    cly_ticket tickets[CAPACITY];
    (void)state;
    for (int i = 0; i < CAPACITY; i++) tickets[i] = submit();
    for (int i = 0; i < CAPACITY; i++)
        assert_int_equal(state_of(tickets[i]), i < FLIGHT ? CLY_RECORD_READY : CLY_RECORD_QUEUED);
    advance(0);
    assert_int_equal(state_of(tickets[FLIGHT]), CLY_RECORD_QUEUED);
    start(tickets[1]);
    answer(record_of(tickets[1]));
    advance(0);
    assert_int_equal(state_of(tickets[FLIGHT]), CLY_RECORD_READY); /* first come, first served */
    assert_int_equal(state_of(tickets[FLIGHT + 1]), CLY_RECORD_QUEUED);
}

/* One that waits for its next attempt is under way. */
static void a_retry_keeps_its_place(void **state) {
    cly_ticket tickets[FLIGHT + 1];
    (void)state;
    for (int i = 0; i < FLIGHT + 1; i++) tickets[i] = submit();
    start(tickets[0]);
    lose(record_of(tickets[0]), 0);
    advance(0);
    assert_int_equal(state_of(tickets[0]), CLY_RECORD_WAITING);
    assert_int_equal(state_of(tickets[FLIGHT]), CLY_RECORD_QUEUED);
    advance(100);
    assert_int_equal(state_of(tickets[0]), CLY_RECORD_READY);
    assert_true(record_of(tickets[0])->ready_at == 100);
    assert_true(table->records.lists[CLY_RECORD_READY].last == record_of(tickets[0])); /* behind the others */
}

/* ---- deadlines ---- */

static void calls_that_wait_run_out_of_time(void **state) {
    cly_ticket ready = submit_at(0, 5), sooner = submit_at(0, 3), third = submit_at(0, 100), queued;
    (void)state;
    queued = submit_at(1, 3);
    assert_int_equal(state_of(queued), CLY_RECORD_QUEUED);
    assert_true(advance(1) == 2);
    assert_true(advance(3) > 0);
    assert_int_equal(call_of(sooner)->error.kind, CLY_TIMEOUT);
    assert_int_equal(call_of(sooner)->error.outcome, CLY_NOT_SENT);
    assert_int_equal(call_of(sooner)->attempts, 0);
    assert_int_equal(state_of(queued), CLY_RECORD_READY);
    assert_true(advance(3.5) == 0.5);
    advance(4);
    assert_int_equal(call_of(queued)->error.kind, CLY_TIMEOUT);
    assert_true(advance(4.5) == 0.5);
    advance(5);
    assert_int_equal(call_of(ready)->error.kind, CLY_TIMEOUT);
    assert_true(advance(6) == 94);
    assert_false(cly_call_table_is_done(table, third));
}

static void a_queued_call_runs_out_of_time_too(void **state) {
    cly_ticket queued;
    (void)state;
    for (int i = 0; i < FLIGHT; i++) start(submit_at(0, 100));
    queued = submit_at(0, 2);
    assert_true(advance(0) == 2);
    assert_true(advance(2) == HUGE_VAL); /* attempts have the engine's deadlines */
    assert_int_equal(call_of(queued)->error.kind, CLY_TIMEOUT);
    assert_int_equal(call_of(queued)->error.outcome, CLY_NOT_SENT);
    assert_int_equal(table->records.active, FLIGHT);
}

static void a_retry_is_due_or_late(void **state) {
    cly_ticket ticket = submit_at(0, 1);
    double wait;
    (void)state;
    start(ticket);
    lose(record_of(ticket), 0);
    wait = advance(0);
    assert_true(wait > 0 && wait <= 0.5);
    advance(2);
    assert_int_equal(call_of(ticket)->error.kind, CLY_TIMEOUT);
    assert_int_equal(call_of(ticket)->error.attempts, 1);
    cly_call_table_release(table, ticket);
    expect_empty();
}

static void a_table_at_rest_has_no_deadline(void **state) {
    cly_ticket ticket;
    (void)state;
    assert_true(advance(0) == HUGE_VAL);
    ticket = submit_at(0, 5);
    assert_true(advance(0) == 5);
    start(ticket);
    answer(record_of(ticket));
    advance(5); /* it may look once more */
    assert_true(advance(5) == HUGE_VAL);
}

/* ---- cancel, release, detach in every state ---- */

/* In a new table. */
static cly_ticket bring_new_to(void **state, int wanted) {
    end(state);
    begin(state);
    return bring_to((cly_record_state)wanted);
}

static void a_cancel_ends_a_call_in_every_state(void **state) {
    for (int from = CLY_RECORD_QUEUED; from <= CLY_RECORD_DONE; from++) {
        cly_ticket ticket = bring_new_to(state, from);
        cly_call_table_cancel(table, ticket);
        cly_call_table_cancel(table, ticket); /* and once more */
        assert_true(cly_call_table_is_known(table, ticket));
        if (from == CLY_RECORD_RUNNING) {
            assert_false(cly_call_table_is_done(table, ticket));
            assert_true(record_of(ticket)->is_canceled && table->records.has_cancels);
        } else {
            assert_int_equal(call_of(ticket)->error.kind, from == CLY_RECORD_DONE ? CLY_OK : CLY_CANCELED);
            assert_int_equal(table->records.active, from == CLY_RECORD_QUEUED ? FLIGHT : 0);
            assert_false(table->records.has_cancels);
        }
        if (from < CLY_RECORD_RUNNING) assert_int_equal(call_of(ticket)->error.outcome, CLY_NOT_SENT);
    }
}

static void a_release_frees_a_record_in_every_state(void **state) {
    for (int from = CLY_RECORD_QUEUED; from <= CLY_RECORD_DONE; from++) {
        cly_ticket ticket = bring_new_to(state, from);
        cly_record *record = record_of(ticket);
        cly_call_table_release(table, ticket);
        cly_call_table_release(table, ticket);
        assert_false(cly_call_table_is_known(table, ticket));
        if (from == CLY_RECORD_RUNNING) {
            const cly_report stopped = {CLY_END_CANCELED, true, 0, -1, NULL, NULL, 0};
            assert_true(record->is_canceled && record->state == CLY_RECORD_RUNNING);
            end_attempt(record, stopped, 1);
        }
        assert_int_equal(record->state, CLY_RECORD_FREE);
        assert_true(call_first_done(table, 0) == 0 && cly_call_table_next_ended(table) == 0);
    }
}

static void a_detached_call_goes_on_in_every_state(void **state) {
    for (int from = CLY_RECORD_QUEUED; from <= CLY_RECORD_DONE; from++) {
        cly_ticket ticket = bring_new_to(state, from);
        cly_record *record = record_of(ticket);
        cly_call_table_detach(table, ticket);
        cly_call_table_detach(table, ticket);
        cly_call_table_cancel(table, ticket); /* it has no ticket any more */
        cly_call_table_release(table, ticket);
        assert_false(cly_call_table_is_known(table, ticket));
        assert_int_equal(record->state, from == CLY_RECORD_DONE ? CLY_RECORD_FREE : (cly_record_state)from);
        assert_false(record->is_canceled);
        if (from == CLY_RECORD_RUNNING) answer(record);
        if (from == CLY_RECORD_RUNNING) assert_int_equal(record->state, CLY_RECORD_FREE);
        assert_true(call_first_done(table, 0) == 0 && cly_call_table_next_ended(table) == 0);
    }
}

/* The next use of the record is no detached one. */
static void a_record_that_was_detached_is_as_new(void **state) {
    cly_ticket ticket = bring_to(CLY_RECORD_RUNNING);
    cly_record *record = record_of(ticket);
    (void)state;
    cly_call_table_detach(table, ticket);
    record->is_canceled = record->is_throttled = true;
    answer(record);
    ticket = submit();
    assert_ptr_equal(record_of(ticket), record);
    assert_true(cly_call_table_is_known(table, ticket));
    assert_false(record->is_canceled || record->is_throttled || record->is_detached);
}

static void groups_are_kept_apart(void **state) {
    cly_ticket one, two;
    (void)state;
    assert_int_equal(try_submit(&one, 0, 30, 1), CLY_OK);
    assert_int_equal(try_submit(&two, 0, 30, 2), CLY_OK);
    cly_call_table_cancel(table, two);
    cly_call_table_cancel(table, one);
    assert_true(call_first_done(table, 0) == 0);
    assert_true(call_first_done(table, 1) == one);
    assert_true(call_first_done(table, 2) == two);
    assert_true(cly_records_first_done(&table->records, 1) != NULL);
    assert_false(cly_records_first_done(&table->records, CLY_NO_GROUP) != NULL);
    cly_call_table_detach_group(table, 1);
    assert_false(cly_call_table_is_known(table, one));
    assert_true(cly_call_table_is_known(table, two));
}

static void all_may_be_canceled_and_detached(void **state) {
    cly_ticket running = bring_to(CLY_RECORD_RUNNING), waiting = bring_to(CLY_RECORD_WAITING);
    cly_ticket ready = submit(), queued = submit();
    (void)state;
    assert_int_equal(state_of(queued), CLY_RECORD_QUEUED);
    cly_call_table_lock(table);
    assert_int_equal(cly_records_cancel_all(&table->records, cly_clock_now()), 4);
    cly_call_table_unlock(table);
    assert_int_equal(call_of(waiting)->error.kind, CLY_CANCELED);
    assert_int_equal(call_of(ready)->error.kind, CLY_CANCELED);
    assert_int_equal(call_of(queued)->error.kind, CLY_CANCELED);
    assert_true(record_of(running)->is_canceled && table->records.has_cancels);
    assert_true(cly_records_is_under_way(&table->records, running));
    assert_false(cly_records_is_under_way(&table->records, ready));
    cly_call_table_lock(table);
    cly_records_detach_all(&table->records);
    cly_call_table_unlock(table);
    assert_int_equal(cly_call_table_stats(table).in_flight, 1);
    assert_false(cly_call_table_is_known(table, running) || cly_call_table_is_known(table, ready));
    assert_false(cly_records_is_under_way(&table->records, running));
    assert_true(call_first_done(table, 0) == 0);
    answer(table->records.lists[CLY_RECORD_RUNNING].first);
    expect_empty();
}

/* ---- what is told ---- */

static void ended_calls_are_named_once_and_in_order(void **state) {
    cly_ticket first, second, third;
    (void)state;
    assert_true(cly_call_table_next_ended(table) == 0);
    first = submit(), second = submit(), third = submit();
    cly_call_table_cancel(table, third);
    cly_call_table_cancel(table, first);
    cly_call_table_cancel(table, second);
    assert_true(cly_call_table_next_ended(table) == third);
    cly_call_table_release(table, first); /* released ones are passed over */
    assert_true(cly_call_table_next_ended(table) == second);
    assert_true(cly_call_table_next_ended(table) == 0);
    first = submit();
    assert_true(cly_call_table_next_ended(table) == 0);
    cly_call_table_cancel(table, first);
    cly_call_table_release(table, third); /* one that was named already */
    assert_true(cly_call_table_next_ended(table) == first);
    assert_true(cly_call_table_next_ended(table) == 0);
}

/* A release is asked for in the order that next_ended gives; the last one leaves none. */
static void the_last_unnamed_may_be_released(void **state) {
    cly_ticket ticket = submit();
    (void)state;
    cly_call_table_cancel(table, ticket);
    cly_call_table_release(table, ticket);
    assert_true(cly_call_table_next_ended(table) == 0);
    ticket = submit();
    cly_call_table_cancel(table, ticket);
    assert_true(cly_call_table_next_ended(table) == ticket);
}

static cly_ticket heard[16];
static int heard_count, wakes;

static void hear(void *context, cly_ticket ticket) {
    assert_ptr_equal(context, &heard);
    heard[heard_count++] = ticket;
}

static void the_owner_hears_of_results_that_will_be_asked_for(void **state) {
    cly_ticket first = submit(), second = submit(), third = submit();
    (void)state;
    heard_count = 0;
    table->records.on_ended = hear;
    table->records.context = &heard;
    cly_call_table_cancel(table, second);
    cly_call_table_release(table, first);
    cly_call_table_detach(table, third);
    start(cly_record_ticket(table->records.lists[CLY_RECORD_READY].first));
    answer(table->records.lists[CLY_RECORD_RUNNING].first);
    assert_int_equal(heard_count, 1);
    assert_true(heard[0] == second);
}

static void wake(struct cly_engine *engine) {
    assert_ptr_equal((void *)engine, &wakes);
    wakes++;
}

/* Once is enough until it waits again; and what comes before it waits is not lost. */
static void an_engine_that_waits_is_woken_once(void **state) {
    cly_ticket ticket;
    (void)state;
    wakes = 0;
    table->wake = wake;
    table->engine = (struct cly_engine *)(void *)&wakes;
    submit();
    assert_int_equal(wakes, 0);
    assert_true(table->records.has_news);
    table->records.has_news = false;
    table->is_waiting = true;
    ticket = submit();
    submit();
    assert_int_equal(wakes, 1);
    start(ticket);
    table->is_waiting = true;
    table->records.has_news = false;
    cly_call_table_cancel(table, ticket);
    assert_int_equal(wakes, 2);
    assert_true(table->records.has_news && table->records.has_cancels);
    table->is_waiting = true;
    cly_call_table_release(table, cly_record_ticket(table->records.lists[CLY_RECORD_READY].first));
    assert_int_equal(wakes, 3); /* it made room */
}

static int take_events(cly_event_type type, cly_kind kind) {
    cly_event event;
    int count = 0;
    while (cly_call_table_take_event(table, &event)) count += event.type == type && event.kind == kind;
    return count;
}

static void each_end_is_an_event_with_its_number(void **state) {
    cly_submission submission = call_submission("http://127.0.0.1/x", 30);
    cly_ticket ticket;
    cly_event event;
    (void)state;
    table->records.events.is_wanted = true;
    submission.submitted_at = 0;
    submission.number = 9;
    assert_int_equal(call_submit(table, submission, &ticket, NULL), CLY_OK);
    start(ticket);
    answer(record_of(ticket));
    assert_true(cly_call_table_take_event(table, &event));
    assert_int_equal(event.type, CLY_EVENT_DONE);
    assert_int_equal(event.kind, CLY_OK);
    assert_int_equal(event.call, 9);
    assert_int_equal(event.attempt, 1);
    assert_int_equal(event.status, 200);
    assert_true(event.delay == 1);
    assert_string_equal(event.operation, "send_template");
    assert_string_equal(event.id, "a");
    assert_false(cly_call_table_take_event(table, &event));
}

static void events_and_stats_add_up(void **state) {
    cly_ticket tickets[CAPACITY];
    cly_stats stats;
    (void)state;
    table->records.events.is_wanted = true;
    for (int i = 0; i < CAPACITY; i++) tickets[i] = submit_at(0, 10);
    start(tickets[0]);
    answer(record_of(tickets[0]));
    cly_call_table_release(table, tickets[1]); /* also of calls whose results are not wanted */
    cly_call_table_cancel(table, tickets[4]);  /* queued */
    stats = cly_call_table_stats(table);
    assert_int_equal(stats.calls, CAPACITY);
    assert_int_equal(stats.succeeded, 1);
    assert_int_equal(stats.not_sent, 2);
    assert_int_equal(stats.in_flight, 2);
    assert_int_equal(take_events(CLY_EVENT_DONE, CLY_CANCELED), 2);
    advance(10);
    stats = cly_call_table_stats(table);
    assert_int_equal(stats.not_sent, 4);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.rejected + stats.unknown + stats.events_lost, 0);
    assert_int_equal(take_events(CLY_EVENT_DONE, CLY_TIMEOUT), 2);
}

/* ---- memory ---- */

static void every_allocation_of_a_submit_may_fail(void **state) {
    bool has_failed = true;
    (void)state;
    for (long n = 0; has_failed; n++) {
        cly_buffer body;
        cly_submission submission = submission_at(0, 30, 0, &body);
        cly_ticket ticket = 77;
        cly_error error;
        cly_kind kind;
        cly_error_clear(&error);
        end(state);
        begin(state);
        memory_fail(n, MEMORY_FAILS_ONCE);
        kind = cly_call_table_submit(table, &ticket, &submission, &error);
        has_failed = memory_restore();
        assert_int_equal(kind, has_failed ? CLY_OVERLOADED : CLY_OK);
        assert_int_equal(body.length, has_failed ? 2 : 0);
        if (has_failed) assert_true(ticket == 77 && error.outcome == CLY_NOT_SENT);
        if (has_failed) expect_empty();
        if (has_failed) assert_int_equal(cly_call_table_stats(table).calls, 0);
        cly_buffer_clear(&body);
        submit(); /* what was made is of use */
    }
}

static void a_table_may_not_be_made(void **state) {
    long live;
    bool has_failed = true;
    end(state);
    live = memory_live();
    for (long n = 0; has_failed; n++) {
        memory_fail(n, MEMORY_FAILS_ONCE);
        table = cly_call_table_new(FLIGHT, CAPACITY, MOST, FIRST);
        has_failed = memory_restore();
        assert_true((table == NULL) == has_failed);
        end(state);
        assert_int_equal(memory_live(), live);
    }
    begin(state);
}

static void a_used_record_needs_no_memory(void **state) {
    cly_buffer body;
    cly_submission submission = submission_at(0, 30, 0, &body);
    cly_ticket ticket = submit();
    (void)state;
    start(ticket);
    answer(record_of(ticket));
    cly_call_table_release(table, ticket);
    memory_fail(0, MEMORY_FAILS_FROM_THEN_ON);
    assert_int_equal(cly_call_table_submit(table, &ticket, &submission, NULL), CLY_OK);
    assert_false(memory_restore());
    cly_buffer_clear(&body);
}

/* ---- threads ---- */

static void *use_table(void *data) {
    unsigned group = (unsigned)(uintptr_t)data;
    for (int i = 0; i < 3000; i++) {
        cly_ticket ticket = 0;
        cly_event event;
        if (try_submit(&ticket, 0, 1e9, group) != CLY_OK) continue;
        if (i % 3 == 0) cly_call_table_cancel(table, ticket);
        if (i % 3 == 1) cly_call_table_detach(table, ticket);
        cly_call_table_release(table, ticket);
        while (cly_call_table_next_ended(table)) continue;
        while (cly_call_table_take_event(table, &event)) continue;
    }
    return NULL;
}

/* The first thread is the engine. */
static void several_threads_may_use_it(void **state) {
    pthread_t threads[3];
    (void)state;
    table->records.events.is_wanted = true;
    for (uintptr_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_table, (void *)(i + 1)), 0);
    for (int i = 0; i < 20000; i++) {
        cly_record *record;
        cly_call_table_lock(table);
        cly_records_advance(&table->records, 0);
        record = table->records.lists[CLY_RECORD_READY].first;
        if (record) cly_call_sent(&record->call);
        if (record) cly_records_move(&table->records, record, CLY_RECORD_RUNNING);
        cly_call_table_unlock(table);
        if (record) answer(record);
    }
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    cly_call_table_lock(table);
    cly_records_cancel_all(&table->records, cly_clock_now());
    cly_call_table_unlock(table);
    cly_call_table_lock(table);
    cly_records_detach_all(&table->records);
    cly_call_table_unlock(table);
    expect_empty();
    assert_true(cly_call_table_stats(table).calls > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_names_a_record_and_its_use),
        TEST(tickets_are_never_used_again),
        TEST(other_numbers_are_no_tickets),
        TEST(no_table_has_no_calls),
        TEST(beyond_its_capacity_it_takes_none),
        TEST(capacity_may_be_raised_to_the_most),
        TEST(a_closed_table_takes_none),
        TEST(calls_beyond_max_in_flight_are_queued),
        TEST(a_retry_keeps_its_place),
        TEST(calls_that_wait_run_out_of_time),
        TEST(a_queued_call_runs_out_of_time_too),
        TEST(a_retry_is_due_or_late),
        TEST(a_table_at_rest_has_no_deadline),
        cmocka_unit_test_teardown(a_cancel_ends_a_call_in_every_state, end),
        cmocka_unit_test_teardown(a_release_frees_a_record_in_every_state, end),
        cmocka_unit_test_teardown(a_detached_call_goes_on_in_every_state, end),
        TEST(a_record_that_was_detached_is_as_new),
        TEST(groups_are_kept_apart),
        TEST(all_may_be_canceled_and_detached),
        TEST(ended_calls_are_named_once_and_in_order),
        TEST(the_last_unnamed_may_be_released),
        TEST(the_owner_hears_of_results_that_will_be_asked_for),
        TEST(an_engine_that_waits_is_woken_once),
        TEST(each_end_is_an_event_with_its_number),
        TEST(events_and_stats_add_up),
        TEST(every_allocation_of_a_submit_may_fail),
        TEST(a_table_may_not_be_made),
        TEST(a_used_record_needs_no_memory),
        TEST(several_threads_may_use_it),
    };
    return cmocka_run_group_tests_name("io/call_table", tests, NULL, NULL);
}
