#include "core/call/records.h"

#include "core/base/list.h"
#include "core/api/request.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- creating and freeing ---- */

bool cly_records_init(cly_records *records, int max_in_flight, int capacity, int most,
                      uint32_t first_generation) {
    memset(records, 0, sizeof *records);
    records->max_in_flight = max_in_flight;
    records->capacity = capacity;
    records->array_size = most;
    records->first_generation = first_generation;
    records->next_deadline = HUGE_VAL;
    records->all = calloc((size_t)most, sizeof *records->all);
    return records->all != NULL;
}

static void free_record(cly_record *record) {
    cly_call_clear(&record->call);
    cly_buffer_clear(&record->body);
    cly_buffer_clear(&record->url);
    cly_buffer_clear(&record->reply);
    free(record);
}

void cly_records_clear(cly_records *records) {
    for (int i = 0; i < records->count; i++) free_record(records->all[i]);
    cly_event_queue_clear(&records->events);
    free(records->all);
}

/* ---- records ---- */

CLY_LIST_FUNCTIONS(cly_record, cly_record_list, append, detach)

void cly_records_move(cly_records *records, cly_record *record, cly_record_state to) {
    cly_record_list *from = &records->lists[record->state];
    if (record == records->unnamed) records->unnamed = record->next;
    append(&records->lists[to], detach(from, record));
    record->state = to;
}

static cly_record *make_record(cly_records *records) {
    cly_record *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    cly_call_init(&made->call);
    cly_buffer_init(&made->body, CLY_BODY_MAX);
    cly_buffer_init(&made->url, CLY_URL_MAX);
    cly_buffer_init(&made->reply, CLY_REPLY_MAX);
    made->generation = records->first_generation;
    made->index = records->count;
    records->all[records->count++] = made;
    append(&records->lists[CLY_RECORD_FREE], made);
    return made;
}

bool cly_records_has_room(const cly_records *records) {
    return records->lists[CLY_RECORD_FREE].first || records->count < records->capacity;
}

cly_ticket cly_record_ticket(const cly_record *record) {
    return cly_ticket_make(record->generation, (size_t)record->index);
}

cly_record *cly_records_find(const cly_records *records, cly_ticket ticket) {
    size_t index = cly_ticket_index(ticket);
    cly_record *found = index < (size_t)records->count ? records->all[index] : NULL;
    if (found == NULL || found->state == CLY_RECORD_FREE || found->is_detached) return NULL;
    return found->generation == cly_ticket_generation(ticket) && cly_record_ticket(found) == ticket ? found
                                                                                                    : NULL;
}

static void free_place(cly_records *records, cly_record *record) {
    cly_buffer_trim(&record->body);
    cly_buffer_trim(&record->reply);
    cly_response_trim(&record->call.response);
    cly_records_move(records, record, CLY_RECORD_FREE);
}

cly_record *cly_records_first_done(const cly_records *records, unsigned group) {
    cly_record *record = records->lists[CLY_RECORD_DONE].first;
    while (record && record->group != group) record = record->next;
    return record;
}

bool cly_records_is_under_way(const cly_records *records, cly_ticket ticket) {
    const cly_record *record = cly_records_find(records, ticket);
    return record && record->state != CLY_RECORD_DONE;
}

/* ---- ending calls ---- */

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

static void tell_done(cly_records *records, const cly_record *record) {
    const cly_call *call = &record->call;
    const char *id = cly_response_text(&call->response, CLY_TEXT_ID);
    const char *code = cly_response_text(&call->response, CLY_TEXT_CODE);
    cly_event event;
    if (!records->events.is_wanted) return;
    event = cly_record_event(record, CLY_EVENT_DONE, call->ended_at - call->started_at);
    event.status = call->status;
    event.kind = call->error.kind;
    event.outcome = call->error.outcome;
    event.http_version = record->http_version;
    if (event.kind == CLY_OK && id) snprintf(event.id, sizeof event.id, "%s", id);
    if (event.kind != CLY_OK && code) snprintf(event.code, sizeof event.code, "%s", code);
    cly_event_put(&records->events, &event);
}

static void count_end(cly_stats *stats, const cly_error *error) {
    uint64_t *counters[] = {&stats->not_sent, &stats->rejected, &stats->unknown};
    stats->in_flight--;
    if (error->kind == CLY_OK)
        stats->succeeded++;
    else
        ++*counters[error->outcome];
}

void cly_records_end(cly_records *records, cly_record *record) {
    if (record->state != CLY_RECORD_QUEUED) records->active--;
    count_end(&records->stats, &record->call.error);
    tell_done(records, record);
    records->has_ended = true;
    if (record->is_detached) {
        free_place(records, record);
        return;
    }
    cly_records_move(records, record, CLY_RECORD_DONE);
    if (records->unnamed == NULL) records->unnamed = record;
    if (records->on_ended) records->on_ended(records->context, cly_record_ticket(record));
}

/* The engine must also be told if the call has ended: there is room for another. */
void cly_records_cancel(cly_records *records, cly_record *record, double now) {
    if (record->state == CLY_RECORD_DONE) return;
    records->has_news = true;
    if (record->state == CLY_RECORD_RUNNING) {
        record->is_canceled = records->has_cancels = true;
        return;
    }
    cly_call_cancel(&record->call, now);
    cly_records_end(records, record);
}

/* ---- between attempts ---- */

static void note_deadline(cly_records *records, const cly_record *record) {
    if (record->call.deadline < records->next_deadline) records->next_deadline = record->call.deadline;
}

static void make_ready(cly_records *records, cly_record *record, double now) {
    record->ready_at = now;
    record->is_throttled = false;
    cly_records_move(records, record, CLY_RECORD_READY);
    note_deadline(records, record);
}

/* The next attempt may be due, or the call may have timed out. */
static double settle_waiting(cly_records *records, double now) {
    double wait = HUGE_VAL;
    cly_record *next;
    for (cly_record *record = records->lists[CLY_RECORD_WAITING].first; record; record = next) {
        next = record->next;
        switch (cly_call_next(&record->call, now)) {
        case CLY_STEP_DONE: cly_records_end(records, record); break;
        case CLY_STEP_SEND: make_ready(records, record, now); break;
        case CLY_STEP_WAIT: wait = fmin(wait, fmin(record->call.wait_until, record->call.deadline) - now);
        }
    }
    return wait;
}

static void end_late(cly_records *records, cly_record_state state, double now) {
    cly_record *next;
    for (cly_record *record = records->lists[state].first; record; record = next) {
        next = record->next;
        if (cly_call_next(&record->call, now) == CLY_STEP_DONE)
            cly_records_end(records, record);
        else
            note_deadline(records, record);
    }
}

static void let_in(cly_records *records, double now) {
    cly_record *first;
    while ((first = records->lists[CLY_RECORD_QUEUED].first) && records->active < records->max_in_flight) {
        records->active++;
        make_ready(records, first, now);
    }
}

double cly_records_advance(cly_records *records, double now) {
    double wait = settle_waiting(records, now);
    if (now >= records->next_deadline) {
        records->next_deadline = HUGE_VAL;
        end_late(records, CLY_RECORD_READY, now);
        end_late(records, CLY_RECORD_QUEUED, now);
    }
    let_in(records, now);
    return fmax(0, fmin(wait, records->next_deadline - now));
}

int cly_records_cancel_all(cly_records *records, double now) {
    int count = records->stats.in_flight;
    for (int state = CLY_RECORD_QUEUED; state <= CLY_RECORD_RUNNING; state++) {
        cly_record *next;
        for (cly_record *record = records->lists[state].first; record; record = next) {
            next = record->next;
            cly_records_cancel(records, record, now);
        }
    }
    return count;
}

/* ---- requests of the caller ---- */

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

static void begin(cly_records *records, cly_record *record, const cly_submission *submission) {
    record->generation++;
    record->ready_at = submission->submitted_at;
    cly_call_begin(&record->call, submission->operation, submission->batch, submission->timeout,
                   submission->submitted_at);
    records->stats.calls++;
    records->stats.in_flight++;
    if (records->active < records->max_in_flight) {
        records->active++;
        cly_records_move(records, record, CLY_RECORD_READY);
    } else {
        cly_records_move(records, record, CLY_RECORD_QUEUED);
    }
    note_deadline(records, record);
    records->has_news = true;
}

cly_kind cly_records_submit(cly_records *records, cly_ticket *ticket, const cly_submission *submission,
                            cly_error *error) {
    cly_record *record;
    if (records->is_closed) return cly_error_set(error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    if (!cly_records_has_room(records))
        return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "%d calls are under way or unread (%s)",
                             records->capacity, "max_in_flight");
    record = records->lists[CLY_RECORD_FREE].first;
    if (record == NULL) record = make_record(records);
    if (record == NULL || !fill(record, submission)) return cly_error_no_memory(error);
    begin(records, record, submission);
    *ticket = cly_record_ticket(record);
    return CLY_OK;
}

void cly_records_detach(cly_records *records, cly_record *record) {
    if (record->state == CLY_RECORD_DONE)
        free_place(records, record);
    else if (record->state != CLY_RECORD_FREE)
        record->is_detached = true;
}

void cly_records_detach_group(cly_records *records, unsigned group) {
    for (int i = 0; i < records->count; i++)
        if (records->all[i]->group == group) cly_records_detach(records, records->all[i]);
}

void cly_records_detach_all(cly_records *records) {
    for (int i = 0; i < records->count; i++) cly_records_detach(records, records->all[i]);
}

void cly_records_release(cly_records *records, cly_record *record, double now) {
    bool has_ended = record->state == CLY_RECORD_DONE;
    cly_records_detach(records, record);
    if (!has_ended) cly_records_cancel(records, record, now);
}

cly_ticket cly_records_next_ended(cly_records *records) {
    const cly_record *ended = records->unnamed;
    if (ended == NULL) return 0;
    records->unnamed = ended->next;
    return cly_record_ticket(ended);
}
