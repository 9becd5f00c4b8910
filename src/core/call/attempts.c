#include "core/call/attempts.h"

#include "core/base/redact.h"
#include <math.h>

/* Longer than one slice of a wait in Lua (lua/connectly/client): Lua may collect garbage in between. */
static const double shortage_wait = 0.15; /* seconds */

static bool is_asset(const cly_record *record) {
    return record->call.operation->limit == CLY_LIMIT_ASSETS;
}

/* ---- events ---- */

static void tell_attempt(cly_attempts *attempts, const cly_attempt *attempt) {
    const cly_error *error = &attempt->record->call.error;
    cly_event event = cly_record_event(attempt->record, CLY_EVENT_ATTEMPT, 0);
    attempts->records->stats.attempts++;
    event.status = attempt->report->status;
    event.kind = error->kind;
    event.outcome = error->outcome;
    event.http_version = attempt->http_version;
    event.phases = attempt->phases;
    cly_event_put(&attempts->records->events, &event);
}

static void tell_retry(cly_attempts *attempts, const cly_record *record) {
    cly_event event = cly_record_event(record, CLY_EVENT_RETRY, record->call.decision.delay);
    event.reason = record->call.decision.reason;
    attempts->records->stats.retries++;
    cly_event_put(&attempts->records->events, &event);
}

static void tell_throttled(cly_attempts *attempts, const cly_record *record, double delay) {
    cly_event event = cly_record_event(record, CLY_EVENT_THROTTLED, delay);
    event.attempt++;
    attempts->records->stats.throttled++;
    cly_event_put(&attempts->records->events, &event);
}

/* ---- between attempts ---- */

static void refuse_outlasted(cly_attempts *attempts, cly_record_state state, double now) {
    const cly_departures *departures = &attempts->departures;
    cly_record *next;
    for (cly_record *record = attempts->records->lists[state].first; record; record = next) {
        next = record->next;
        if (!cly_departures_outlast(departures, record->call.deadline)) continue;
        cly_call_refuse(&record->call, departures->asked_until - now, now);
        cly_records_end(attempts->records, record);
    }
}

/* First ends calls that have timed out, so that they report a timeout. The second cly_records_advance
 * lets in the calls for which the refused ones made room. */
double cly_attempts_advance(cly_attempts *attempts, double now) {
    double wait = cly_records_advance(attempts->records, now);
    if (!cly_departures_outlast(&attempts->departures, now)) return wait;
    refuse_outlasted(attempts, CLY_RECORD_QUEUED, now);
    refuse_outlasted(attempts, CLY_RECORD_READY, now);
    refuse_outlasted(attempts, CLY_RECORD_WAITING, now);
    return cly_records_advance(attempts->records, now);
}

/* ---- starting ---- */

/* The calls behind it wait for the limiter too. */
static void mark_throttled(cly_attempts *attempts, cly_record *first) {
    cly_record *record = attempts->records->lists[CLY_RECORD_READY].last;
    for (; !is_asset(first) && record && !record->is_throttled; record = record->previous)
        record->is_throttled = true;
    first->is_throttled = true;
}

/* Returns 0, or the seconds until the limiters admit the attempt. */
static double begin(cly_attempts *attempts, cly_record *record, double now, cly_start *start) {
    double wait;
    start->began_at = start->permit_at = now;
    wait = cly_departures_take(&attempts->departures, is_asset(record), now, &start->permit_at);
    if (wait > 0) {
        mark_throttled(attempts, record);
        return wait;
    }
    if (record->is_throttled) tell_throttled(attempts, record, now - record->ready_at);
    start->is_probe = cly_outage_started(&attempts->outage, now);
    cly_call_sent(&record->call);
    cly_records_move(attempts->records, record, CLY_RECORD_RUNNING);
    return 0;
}

static double find_pool(cly_attempts *attempts, double now, cly_pool **pool) {
    double wait = cly_outage_wait(&attempts->outage, now);
    *pool = wait > 0 ? NULL : cly_pools_choose(attempts->pools, now, &wait);
    return *pool ? 0 : wait;
}

cly_ready cly_attempts_ready(const cly_attempts *attempts) {
    const cly_ready ready = {attempts->records->lists[CLY_RECORD_READY].first, HUGE_VAL};
    return ready;
}

static bool try_next(cly_attempts *attempts, cly_record *record, double now, cly_start *start, double *wait) {
    *wait = find_pool(attempts, now, &start->pool);
    if (start->pool) *wait = begin(attempts, record, now, start);
    if (start->pool == NULL || *wait > 0) return false;
    cly_pools_started(attempts->pools, start->pool);
    return true;
}

/* Calls that wait for the assets' limiter do not block the others. */
cly_record *cly_attempts_next(cly_attempts *attempts, cly_ready *ready, double now, cly_start *start,
                              double *wait) {
    cly_record *record;
    while ((record = ready->next) != NULL) {
        bool waits_for_limiter = is_asset(record) && ready->assets_wait < HUGE_VAL;
        ready->next = record->next;
        if (waits_for_limiter) {
            record->is_throttled = true;
            continue;
        }
        if (try_next(attempts, record, now, start, wait)) return record;
        if (start->pool == NULL || !is_asset(record)) break;
        ready->assets_wait = *wait;
    }
    *wait = record ? fmin(*wait, ready->assets_wait) : ready->assets_wait;
    return NULL;
}

void cly_attempts_issued(cly_attempts *attempts, const cly_record *record, const cly_start *start,
                         double now) {
    cly_departures_left(&attempts->departures, is_asset(record), start->permit_at, now);
    cly_outage_reached(&attempts->outage, false, now);
    attempts->rules.is_outage = attempts->outage.is_on;
}

/* ---- ending ---- */

/* A complete reply is passed to the caller and may echo the key, as errors may. It is masked before it
 * is judged, so that the judged reply is the one that the caller reads. */
static void mask_reply(const char *secret, const cly_attempt *attempt) {
    const cly_operation *operation = attempt->record->call.operation;
    cly_buffer *reply = attempt->reply;
    if (operation->reply == CLY_REPLY_ID || !cly_report_is_success(attempt->report)) return;
    if (secret == NULL || strlen(secret) < CLY_REDACTED_LEAST || reply->length == 0) return;
    (void)cly_redact(reply->data, reply->data, reply->length, reply->length, secret);
}

/* If a repeated DELETE succeeds because the object is already gone, the error body of the reply is
 * dropped. */
static void drop_refusal(cly_record *record) {
    if (record->call.error.kind == CLY_OK && record->call.status >= 300) cly_buffer_reset(&record->reply);
}

static bool is_of_a_balancer(int status) {
    return status >= 502 && status <= 504;
}

/* Records whether the end of an attempt shows that the API is reachable. */
static void note_reach(cly_attempts *attempts, const cly_attempt *attempt, double now) {
    double chance = cly_random_next(&attempts->random);
    cly_outage *outage = &attempts->outage;
    bool is_probe = attempt->start.is_probe;
    double began_at = attempt->start.began_at;
    int status = attempt->report->status;
    if (attempt->report->end == CLY_END_UNREACHED)
        cly_outage_failed(outage, CLY_SIGN_UNREACHED, began_at, is_probe, chance, now);
    else if (is_of_a_balancer(status) || attempt->is_turned_away)
        cly_outage_failed(outage, CLY_SIGN_BAD_REPLY, began_at, is_probe, chance, now);
    else if (status > 0)
        cly_outage_reached(outage, true, now);
    else if (attempt->report->end == CLY_END_LOST)
        cly_outage_lost(outage, began_at, is_probe, chance, now);
    else if (is_probe)
        cly_outage_unclear(outage);
    attempts->rules.is_outage = outage->is_on && outage->was_reached;
}

/* A cancel may have arrived while the attempt was ending. */
static void end_or_wait(cly_attempts *attempts, cly_record *record, double now) {
    if (record->is_canceled) cly_call_cancel(&record->call, now);
    if (record->call.state == CLY_CALL_DONE)
        cly_records_end(attempts->records, record);
    else
        cly_records_move(attempts->records, record, CLY_RECORD_WAITING);
}

/* cly_call_report decides what comes next. */
static void conclude(cly_attempts *attempts, const cly_attempt *attempt, double now) {
    cly_record *record = attempt->record;
    const cly_report *report = attempt->report;
    if (report->status == 429) cly_departures_pause(&attempts->departures, report->retry_after, now);
    note_reach(attempts, attempt, now);
    mask_reply(attempts->rules.secret, attempt);
    cly_call_report(&record->call, &attempts->rules, report, cly_random_next(&attempts->random), now);
    record->http_version = attempt->http_version;
    cly_buffer_swap(&record->reply, attempt->reply);
    tell_attempt(attempts, attempt);
    if (record->call.state == CLY_CALL_DONE)
        drop_refusal(record);
    else
        tell_retry(attempts, record);
}

/* The attempt was not started: the call returns to the queue. */
static void withdraw(cly_attempts *attempts, const cly_attempt *attempt) {
    if (attempt->start.is_probe) cly_outage_unclear(&attempts->outage);
    cly_call_withdraw(&attempt->record->call);
}

/* The host may free descriptors by collecting clients that were dropped, so such a call gets a second
 * try a moment later. */
static bool may_try_again(cly_attempts *attempts, const cly_attempt *attempt, double now) {
    cly_record *record = attempt->record;
    if (attempt->report->end != CLY_END_NO_DESCRIPTOR) return false;
    attempts->is_short_of_descriptors = true;
    if (record->was_short) return false;
    record->was_short = true;
    record->call.wait_until = now + shortage_wait;
    return true;
}

void cly_attempts_ended(cly_attempts *attempts, const cly_attempt *attempt, double now) {
    if (!attempt->is_issued) cly_departures_gave_up(&attempts->departures, is_asset(attempt->record));
    if (attempt->report->end == CLY_END_PARKED || may_try_again(attempts, attempt, now))
        withdraw(attempts, attempt);
    else
        conclude(attempts, attempt, now);
    end_or_wait(attempts, attempt->record, now);
}

/* ---- permits ---- */

int cly_attempts_permits_wanted(cly_attempts *attempts, int room, double now) {
    int ready = 0, assets = 0;
    const cly_record *record = attempts->records->lists[CLY_RECORD_READY].first;
    if (!attempts->departures.is_shared) return 0;
    for (; record; record = record->next) {
        ready++;
        assets += is_asset(record);
    }
    return cly_departures_wanted(&attempts->departures, ready, assets, room, now);
}
