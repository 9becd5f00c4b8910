#include "io/attempts.h"

#include "core/secret.h"

/* More than a slice in which Lua waits (client.lua): it may collect garbage meanwhile. */
static const double shortage_wait = 0.15; /* seconds */

static bool is_asset(const cly_record *record) {
    return record->call.operation->limit == CLY_LIMIT_ASSETS;
}

/* ---- events ---- */

static void tell_attempt(cly_attempts *attempts, const cly_record *record, const cly_transfer *transfer) {
    cly_event event;
    attempts->calls->stats.attempts++;
    if (!attempts->calls->events.is_wanted) return;
    event = cly_record_event(record, CLY_EVENT_ATTEMPT, 0);
    event.status = transfer->report.status;
    event.kind = record->call.error.kind;
    event.outcome = record->call.error.outcome;
    event.http_version = cly_transfer_http_version(transfer);
    event.phases = cly_transfer_phases(transfer);
    cly_event_put(&attempts->calls->events, &event);
}

static void tell_retry(cly_attempts *attempts, const cly_record *record) {
    cly_event event = cly_record_event(record, CLY_EVENT_RETRY, record->call.decision.delay);
    event.reason = record->call.decision.reason;
    attempts->calls->stats.retries++;
    cly_event_put(&attempts->calls->events, &event);
}

static void tell_throttled(cly_attempts *attempts, const cly_record *record, double delay) {
    cly_event event = cly_record_event(record, CLY_EVENT_THROTTLED, delay);
    event.attempt++;
    attempts->calls->stats.throttled++;
    cly_event_put(&attempts->calls->events, &event);
}

/* ---- the beginning ---- */

/* All that wait behind it wait for the limiter too. */
static void mark_throttled(cly_attempts *attempts, cly_record *first) {
    cly_record *record = attempts->calls->lists[CLY_RECORD_READY].last;
    for (; !is_asset(first) && record && !record->is_throttled; record = record->previous)
        record->is_throttled = true;
    first->is_throttled = true;
}

static void fill_request(cly_record *record, cly_transfer_request *request) {
    request->method = record->method;
    request->url = record->url.data;
    request->body = record->body.data;
    request->length = record->body.length;
    request->trace_header = record->traceparent;
    request->deadline = record->call.deadline;
}

double cly_attempts_begin(cly_attempts *attempts, cly_record *record, cly_transfer *transfer, double now) {
    double permit_at = now;
    double wait = cly_departures_take(&attempts->departures, is_asset(record), now, &permit_at);
    if (wait > 0) {
        mark_throttled(attempts, record);
        return wait;
    }
    if (record->is_throttled) tell_throttled(attempts, record, now - record->ready_at);
    transfer->record = record;
    fill_request(record, &transfer->request);
    transfer->request.permit_at = permit_at;
    transfer->is_probe = cly_outage_started(&attempts->outage);
    cly_call_sent(&record->call);
    cly_call_table_move(attempts->calls, record, CLY_RECORD_RUNNING);
    return 0;
}

void cly_attempts_issued(cly_attempts *attempts, const cly_transfer *transfer, double now) {
    cly_departures_left(&attempts->departures, is_asset(transfer->record), transfer->request.permit_at, now);
    cly_outage_reached(&attempts->outage, false);
    attempts->rules.is_outage = attempts->outage.is_on;
}

/* ---- the end ---- */

/* Shorter keys are in many words. */
enum { SECRET_MASKED_LEAST = 8 };

/* A whole reply is handed on: it may echo the key, as errors may. The reply is judged as
 * it will be read, should stars stand in its way. */
static void mask_reply(const char *secret, const cly_record *record, cly_transfer *transfer) {
    cly_buffer *reply = &transfer->reply;
    if (record->call.operation->reply == CLY_REPLY_ID || !cly_report_is_success(&transfer->report)) return;
    if (secret == NULL || strlen(secret) < SECRET_MASKED_LEAST || reply->length == 0) return;
    (void)cly_secret_mask(reply->data, reply->data, reply->length, reply->length, secret);
}

/* A refusal in place of a second deletion is no error, and no reply either. */
static void drop_refusal(cly_record *record) {
    if (record->call.error.kind == CLY_OK && record->call.status >= 300) cly_buffer_reset(&record->reply);
}

static bool is_of_a_balancer(int status) {
    return status >= 502 && status <= 504;
}

/* Notes whether the end of an attempt shows that the API can be reached. */
static void note_reach(cly_attempts *attempts, const cly_transfer *transfer, double now) {
    const cly_report *report = &transfer->report;
    double chance = cly_chance_next(&attempts->chance);
    if (report->end == CLY_END_UNREACHED)
        cly_outage_failed(&attempts->outage, CLY_SIGN_UNREACHED, transfer->is_probe, chance, now);
    else if (is_of_a_balancer(report->status) || transfer->is_turned_away)
        cly_outage_failed(&attempts->outage, CLY_SIGN_BAD_REPLY, transfer->is_probe, chance, now);
    else if (report->status > 0)
        cly_outage_reached(&attempts->outage, true);
    else if (transfer->is_probe)
        cly_outage_unclear(&attempts->outage);
    attempts->rules.is_outage = attempts->outage.is_on && attempts->outage.was_reached;
}

/* A cancel may have come while the attempt was ending by itself. */
static void end_or_wait(cly_attempts *attempts, cly_record *record, double now) {
    if (record->is_canceled) cly_call_cancel(&record->call, now);
    if (record->call.state == CLY_CALL_DONE)
        cly_call_table_end(attempts->calls, record);
    else
        cly_call_table_move(attempts->calls, record, CLY_RECORD_WAITING);
}

/* core/call says what comes next. */
static void conclude(cly_attempts *attempts, cly_transfer *transfer, double now) {
    cly_record *record = transfer->record;
    const cly_report *report = &transfer->report;
    if (report->status == 429) cly_departures_pause(&attempts->departures, report->retry_after, now);
    note_reach(attempts, transfer, now);
    mask_reply(attempts->rules.secret, record, transfer);
    cly_call_report(&record->call, &attempts->rules, report, cly_chance_next(&attempts->chance), now);
    record->http_version = cly_transfer_http_version(transfer);
    cly_buffer_swap(&record->reply, &transfer->reply);
    tell_attempt(attempts, record, transfer);
    if (record->call.state == CLY_CALL_DONE)
        drop_refusal(record);
    else
        tell_retry(attempts, record);
}

/* It was not begun: the call goes back to the queue. */
static void withdraw(cly_attempts *attempts, cly_transfer *transfer) {
    if (transfer->is_probe) cly_outage_unclear(&attempts->outage);
    cly_call_withdraw(&transfer->record->call);
}

/* The host may free descriptors, by collecting clients that were dropped; so such a call
 * has a second try, a moment later. */
static bool may_try_again(cly_attempts *attempts, const cly_transfer *transfer, double now) {
    cly_record *record = transfer->record;
    if (transfer->report.end != CLY_END_NO_DESCRIPTOR) return false;
    attempts->is_short_of_descriptors = true;
    if (record->was_short) return false;
    record->was_short = true;
    record->call.wait_until = now + shortage_wait;
    return true;
}

void cly_attempts_ended(cly_attempts *attempts, cly_transfer *transfer, double now) {
    if (!transfer->is_issued) cly_departures_gave_up(&attempts->departures, is_asset(transfer->record));
    if (transfer->report.end == CLY_END_PARKED || may_try_again(attempts, transfer, now))
        withdraw(attempts, transfer);
    else
        conclude(attempts, transfer, now);
    end_or_wait(attempts, transfer->record, now);
}

/* ---- permits ---- */

int cly_attempts_permits_wanted(cly_attempts *attempts, int room, double now) {
    int ready = 0, assets = 0;
    const cly_record *record = attempts->calls->lists[CLY_RECORD_READY].first;
    if (!attempts->departures.is_shared) return 0;
    for (; record; record = record->next) {
        ready++;
        assets += is_asset(record);
    }
    return cly_departures_wanted(&attempts->departures, ready, assets, room, now);
}
