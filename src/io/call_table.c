#define _GNU_SOURCE /* POSIX, and glibc's adaptive locks */
#include "io/call_table.h"

#include "core/request.h"
#include "io/clock.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- making and freeing ---- */

/* Held for moments: a thread that finds it taken does better to look again than to
 * sleep. */
static bool init_lock(pthread_mutex_t *lock) {
    pthread_mutexattr_t attributes;
    bool is_made = pthread_mutexattr_init(&attributes) == 0;
    if (!is_made) return false;
#if defined(__GLIBC__)
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    is_made = pthread_mutex_init(lock, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return is_made;
}

static bool init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    bool is_made = pthread_condattr_init(&attributes) == 0;
    if (!is_made) return false;
#if !defined(__APPLE__)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    is_made = pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_made;
}

cly_call_table *cly_call_table_new(int max_in_flight, int capacity, int most, uint32_t first_generation) {
    cly_call_table *table = calloc(1, sizeof *table);
    if (table == NULL) return NULL;
    table->max_in_flight = max_in_flight;
    table->capacity = capacity;
    table->array_size = most;
    table->first_generation = first_generation;
    table->next_deadline = HUGE_VAL;
    table->records = calloc((size_t)most, sizeof(cly_record *));
    if (table->records && init_condition(&table->ended)) {
        if (init_lock(&table->lock)) return table;
        pthread_cond_destroy(&table->ended);
    }
    free(table->records);
    free(table);
    return NULL;
}

static void free_record(cly_record *record) {
    cly_call_clear(&record->call);
    cly_buffer_clear(&record->body);
    cly_buffer_clear(&record->url);
    cly_buffer_clear(&record->reply);
    free(record);
}

void cly_call_table_free(cly_call_table *table) {
    if (table == NULL) return;
    for (int i = 0; i < table->count; i++) free_record(table->records[i]);
    cly_event_queue_clear(&table->events);
    pthread_cond_destroy(&table->ended);
    pthread_mutex_destroy(&table->lock);
    free(table->records);
    free(table);
}

void cly_call_table_lock(cly_call_table *table) {
    pthread_mutex_lock(&table->lock);
}

/* Threads that wait for an end are woken without the lock: they want it at once. */
void cly_call_table_unlock(cly_call_table *table) {
    bool has_ended = table->has_ended;
    table->has_ended = false;
    pthread_mutex_unlock(&table->lock);
    if (has_ended) pthread_cond_broadcast(&table->ended);
}

/* ---- records; under the lock ---- */

static void append(cly_record_list *list, cly_record *record) {
    record->next = NULL;
    record->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = record;
    list->last = record;
}

void cly_call_table_move(cly_call_table *table, cly_record *record, cly_record_state to) {
    cly_record_list *from = &table->lists[record->state];
    if (record == table->unnamed) table->unnamed = record->next;
    *(record->previous ? &record->previous->next : &from->first) = record->next;
    *(record->next ? &record->next->previous : &from->last) = record->previous;
    record->state = to;
    append(&table->lists[to], record);
}

static cly_record *make_record(cly_call_table *table) {
    cly_record *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    cly_call_init(&made->call);
    cly_buffer_init(&made->body, CLY_BODY_MAX);
    cly_buffer_init(&made->url, CLY_URL_MAX);
    cly_buffer_init(&made->reply, CLY_REPLY_MAX);
    made->generation = table->first_generation;
    made->index = table->count;
    table->records[table->count++] = made;
    append(&table->lists[CLY_RECORD_FREE], made);
    return made;
}

static bool has_room(const cly_call_table *table) {
    return table->lists[CLY_RECORD_FREE].first || table->count < table->capacity;
}

cly_ticket cly_record_ticket(const cly_record *record) {
    return cly_ticket_make(record->generation, (size_t)record->index);
}

/* A detached call has no ticket any more. */
static cly_record *find(const cly_call_table *table, cly_ticket ticket) {
    size_t index = cly_ticket_index(ticket);
    cly_record *found = index < (size_t)table->count ? table->records[index] : NULL;
    if (found == NULL || found->state == CLY_RECORD_FREE || found->is_detached) return NULL;
    return found->generation == cly_ticket_generation(ticket) && cly_record_ticket(found) == ticket ? found
                                                                                                    : NULL;
}

static void free_place(cly_call_table *table, cly_record *record) {
    cly_buffer_trim(&record->body);
    cly_buffer_trim(&record->reply);
    cly_response_trim(&record->call.response);
    cly_call_table_move(table, record, CLY_RECORD_FREE);
}

static cly_record *first_done(const cly_call_table *table, unsigned group) {
    cly_record *record = table->lists[CLY_RECORD_DONE].first;
    while (record && record->group != group) record = record->next;
    return record;
}

bool cly_call_table_has_done(const cly_call_table *table, unsigned group) {
    return first_done(table, group) != NULL;
}

bool cly_call_table_is_under_way(const cly_call_table *table, cly_ticket ticket) {
    const cly_record *record = find(table, ticket);
    return record && record->state != CLY_RECORD_DONE;
}

/* ---- how a call ends; under the lock ---- */

cly_event cly_record_event(const cly_record *record, cly_event_type type, double delay) {
    cly_event event = {0};
    event.type = type;
    event.operation = record->call.operation->name;
    event.call = record->number;
    event.attempt = record->call.attempts;
    event.delay = delay;
    event.http_version = "";
    return event;
}

static void tell_done(cly_call_table *table, const cly_record *record) {
    const cly_call *call = &record->call;
    const char *id = cly_response_text(&call->response, CLY_TEXT_ID);
    const char *code = cly_response_text(&call->response, CLY_TEXT_CODE);
    cly_event event;
    if (!table->events.is_wanted) return;
    event = cly_record_event(record, CLY_EVENT_DONE, call->ended_at - call->started_at);
    event.status = call->status;
    event.kind = call->error.kind;
    event.outcome = call->error.outcome;
    event.http_version = record->http_version;
    if (event.kind == CLY_OK && id) snprintf(event.id, sizeof event.id, "%s", id);
    if (event.kind != CLY_OK && code) snprintf(event.code, sizeof event.code, "%s", code);
    cly_event_put(&table->events, &event);
}

static void count_end(cly_stats *stats, const cly_error *error) {
    uint64_t *counters[] = {&stats->not_sent, &stats->rejected, &stats->unknown};
    stats->in_flight--;
    if (error->kind == CLY_OK)
        stats->succeeded++;
    else
        ++*counters[error->outcome];
}

void cly_call_table_end(cly_call_table *table, cly_record *record) {
    if (record->state != CLY_RECORD_QUEUED) table->active--;
    count_end(&table->stats, &record->call.error);
    tell_done(table, record);
    table->has_ended = true;
    if (record->is_detached) {
        free_place(table, record);
        return;
    }
    cly_call_table_move(table, record, CLY_RECORD_DONE);
    if (table->unnamed == NULL) table->unnamed = record;
    if (table->on_ended) table->on_ended(table->context, cly_record_ticket(record));
}

void cly_call_table_wake(cly_call_table *table) {
    if (table->is_waiting && table->wake) table->wake(table->engine);
    table->is_waiting = false; /* once is enough, until it waits again */
    table->has_news = true;    /* if it does not wait yet, it must not begin to */
}

static void cancel(cly_call_table *table, cly_record *record, double now) {
    if (record->state == CLY_RECORD_RUNNING) {
        record->is_canceled = table->has_cancels = true;
        cly_call_table_wake(table);
    } else if (record->state != CLY_RECORD_DONE) {
        cly_call_cancel(&record->call, now);
        cly_call_table_end(table, record);
        cly_call_table_wake(table); /* it made room */
    }
}

/* ---- between attempts; under the lock ---- */

static void note_deadline(cly_call_table *table, const cly_record *record) {
    if (record->call.deadline < table->next_deadline) table->next_deadline = record->call.deadline;
}

static void make_ready(cly_call_table *table, cly_record *record, double now) {
    record->ready_at = now;
    record->is_throttled = false;
    cly_call_table_move(table, record, CLY_RECORD_READY);
    note_deadline(table, record);
}

/* The next attempt may be due, or the time may be up. */
static double settle_waiting(cly_call_table *table, double now) {
    double wait = HUGE_VAL;
    cly_record *next;
    for (cly_record *record = table->lists[CLY_RECORD_WAITING].first; record; record = next) {
        next = record->next;
        switch (cly_call_next(&record->call, now)) {
        case CLY_STEP_DONE: cly_call_table_end(table, record); break;
        case CLY_STEP_SEND: make_ready(table, record, now); break;
        case CLY_STEP_WAIT: wait = fmin(wait, fmin(record->call.wait_until, record->call.deadline) - now);
        }
    }
    return wait;
}

static void end_late(cly_call_table *table, cly_record_state state, double now) {
    cly_record *next;
    for (cly_record *record = table->lists[state].first; record; record = next) {
        next = record->next;
        if (cly_call_next(&record->call, now) == CLY_STEP_DONE)
            cly_call_table_end(table, record);
        else
            note_deadline(table, record);
    }
}

static void let_in(cly_call_table *table, double now) {
    cly_record *first;
    while ((first = table->lists[CLY_RECORD_QUEUED].first) && table->active < table->max_in_flight) {
        table->active++;
        make_ready(table, first, now);
    }
}

double cly_call_table_advance(cly_call_table *table, double now) {
    double wait = settle_waiting(table, now);
    if (now >= table->next_deadline) {
        table->next_deadline = HUGE_VAL;
        end_late(table, CLY_RECORD_READY, now);
        end_late(table, CLY_RECORD_QUEUED, now);
    }
    let_in(table, now);
    return fmax(0, fmin(wait, table->next_deadline - now));
}

int cly_call_table_cancel_all(cly_call_table *table) {
    double now = cly_clock_now();
    int count = table->stats.in_flight;
    for (int state = CLY_RECORD_QUEUED; state <= CLY_RECORD_RUNNING; state++) {
        cly_record *next;
        for (cly_record *record = table->lists[state].first; record; record = next) {
            next = record->next;
            cancel(table, record, now);
        }
    }
    return count;
}

/* ---- the callers' side ---- */

static bool fill(cly_record *record, const cly_submission *submission) {
    cly_buffer_reset(&record->url);
    cly_buffer_append(&record->url, submission->url, strlen(submission->url) + 1);
    if (record->url.state != CLY_BUFFER_FINE) return false;
    cly_buffer_reset(&record->reply);
    cly_buffer_swap(&record->body, submission->body);
    record->method = submission->method;
    record->number = submission->number;
    record->group = submission->group;
    record->is_detached = record->is_canceled = record->is_throttled = record->was_short = false;
    record->http_version = "";
    record->traceparent[0] = '\0';
    if (submission->traceparent[0])
        snprintf(record->traceparent, sizeof record->traceparent, "traceparent: %s", submission->traceparent);
    return true;
}

static void begin(cly_call_table *table, cly_record *record, const cly_submission *submission) {
    record->generation++;
    record->ready_at = submission->submitted_at;
    cly_call_begin(&record->call, submission->operation, submission->batch, submission->timeout,
                   submission->submitted_at);
    table->stats.calls++;
    table->stats.in_flight++;
    if (table->active < table->max_in_flight) {
        table->active++;
        cly_call_table_move(table, record, CLY_RECORD_READY);
    } else {
        cly_call_table_move(table, record, CLY_RECORD_QUEUED);
    }
    note_deadline(table, record);
    cly_call_table_wake(table);
}

static cly_kind take(cly_call_table *table, cly_ticket *ticket, const cly_submission *submission,
                     cly_error *error) {
    cly_record *record;
    if (table->is_closed) return cly_error_set(error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    if (!has_room(table))
        return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "%d calls are under way or unread (%s)",
                             table->capacity, "max_in_flight");
    record = table->lists[CLY_RECORD_FREE].first;
    if (record == NULL) record = make_record(table);
    if (record == NULL || !fill(record, submission)) return cly_error_no_memory(error);
    begin(table, record, submission);
    *ticket = cly_record_ticket(record);
    return CLY_OK;
}

cly_kind cly_call_table_submit(cly_call_table *table, cly_ticket *ticket, const cly_submission *submission,
                               cly_error *error) {
    cly_kind kind;
    if (table == NULL) return cly_error_set(error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    cly_call_table_lock(table);
    kind = take(table, ticket, submission, error);
    cly_call_table_unlock(table);
    return kind;
}

bool cly_call_table_has_room(cly_call_table *table) {
    bool answer;
    if (table == NULL) return true;
    cly_call_table_lock(table);
    answer = has_room(table);
    cly_call_table_unlock(table);
    return answer;
}

/* The record of a ticket, with the lock taken; NULL, without it, when there is none. */
static cly_record *lock_record(cly_call_table *table, cly_ticket ticket) {
    cly_record *found;
    if (table == NULL) return NULL;
    cly_call_table_lock(table);
    found = find(table, ticket);
    if (found == NULL) cly_call_table_unlock(table);
    return found;
}

bool cly_call_table_is_known(cly_call_table *table, cly_ticket ticket) {
    if (lock_record(table, ticket) == NULL) return false;
    cly_call_table_unlock(table);
    return true;
}

bool cly_call_table_is_done(cly_call_table *table, cly_ticket ticket) {
    const cly_record *record = lock_record(table, ticket);
    bool is_done = record && record->state == CLY_RECORD_DONE;
    if (record) cly_call_table_unlock(table);
    return is_done;
}

cly_ticket cly_call_table_first_done(cly_call_table *table, unsigned group) {
    const cly_record *record;
    cly_ticket ticket;
    if (table == NULL) return 0;
    cly_call_table_lock(table);
    record = first_done(table, group);
    ticket = record ? cly_record_ticket(record) : 0;
    cly_call_table_unlock(table);
    return ticket;
}

bool cly_call_table_result(cly_call_table *table, cly_ticket ticket, cly_result *result) {
    const cly_record *record = lock_record(table, ticket);
    bool is_done = record && record->state == CLY_RECORD_DONE;
    if (record) cly_call_table_unlock(table);
    if (!is_done) return false;
    result->call = &record->call;
    result->reply = &record->reply;
    result->http_version = record->http_version;
    return true;
}

void cly_call_table_cancel(cly_call_table *table, cly_ticket ticket) {
    cly_record *record = lock_record(table, ticket);
    if (record == NULL) return;
    cancel(table, record, cly_clock_now());
    cly_call_table_unlock(table);
}

static void detach(cly_call_table *table, cly_record *record) {
    if (record->state == CLY_RECORD_DONE)
        free_place(table, record);
    else if (record->state != CLY_RECORD_FREE)
        record->is_detached = true;
}

void cly_call_table_release(cly_call_table *table, cly_ticket ticket) {
    cly_record *record = lock_record(table, ticket);
    if (record == NULL) return;
    if (record->state == CLY_RECORD_DONE) {
        free_place(table, record);
    } else {
        record->is_detached = true; /* its end frees it */
        cancel(table, record, cly_clock_now());
    }
    cly_call_table_unlock(table);
}

void cly_call_table_detach(cly_call_table *table, cly_ticket ticket) {
    cly_record *record = lock_record(table, ticket);
    if (record == NULL) return;
    detach(table, record);
    cly_call_table_unlock(table);
}

void cly_call_table_detach_group(cly_call_table *table, unsigned group) {
    if (table == NULL) return;
    cly_call_table_lock(table);
    for (int i = 0; i < table->count; i++)
        if (table->records[i]->group == group) detach(table, table->records[i]);
    cly_call_table_unlock(table);
}

void cly_call_table_detach_all(cly_call_table *table) {
    for (int i = 0; i < table->count; i++) detach(table, table->records[i]);
}

cly_ticket cly_call_table_next_ended(cly_call_table *table) {
    cly_ticket ticket = 0;
    if (table == NULL) return 0;
    cly_call_table_lock(table);
    if (table->unnamed) {
        ticket = cly_record_ticket(table->unnamed);
        table->unnamed = table->unnamed->next;
    }
    cly_call_table_unlock(table);
    return ticket;
}

bool cly_call_table_take_event(cly_call_table *table, cly_event *event) {
    bool is_taken;
    if (table == NULL) return false;
    cly_call_table_lock(table);
    is_taken = cly_event_take(&table->events, event);
    cly_call_table_unlock(table);
    return is_taken;
}

cly_stats cly_call_table_stats(cly_call_table *table) {
    cly_stats stats = {0};
    if (table == NULL) return stats;
    cly_call_table_lock(table);
    stats = table->stats;
    stats.events_lost = table->events.lost;
    cly_call_table_unlock(table);
    return stats;
}
