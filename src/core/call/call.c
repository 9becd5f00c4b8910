#include "core/call/call.h"

#include <math.h>

void cly_call_init(cly_call *call) {
    memset(call, 0, sizeof *call);
    cly_response_init(&call->response);
    cly_error_clear(&call->error);
}

void cly_call_clear(cly_call *call) {
    cly_response_clear(&call->response);
}

void cly_call_begin(cly_call *call, const cly_operation *operation, cly_batch batch, double timeout,
                    double now) {
    call->operation = operation;
    call->batch = batch;
    call->state = CLY_CALL_READY;
    call->started_at = now;
    call->deadline = now + timeout;
    call->wait_until = now;
    call->attempts = call->probes = 0;
    call->status = 0;
    call->may_have_arrived = false;
    call->decision.again = false;
    call->decision.reason = NULL;
    cly_error_clear(&call->error);
    cly_response_read(&call->response, "", 0, NULL);
}

static void finish(cly_call *call, double now) {
    call->state = CLY_CALL_DONE;
    call->ended_at = now;
    call->error.attempts = call->attempts;
    if (call->error.kind == CLY_OK || !call->may_have_arrived || call->error.outcome == CLY_UNKNOWN) return;
    /* An earlier attempt may have arrived, whatever the last one's outcome. */
    call->error.outcome = CLY_UNKNOWN;
    call->error.hint = cly_kind_hint(CLY_NETWORK, CLY_UNKNOWN);
}

/* Sets the error of a call that ends without an attempt under way. `last` is the error of its last
 * attempt. */
static void say_between(cly_call *call, cly_kind kind, const char *what, const cly_error *last) {
    const char *when = call->attempts > 0 ? "before the next attempt" : "before anything was sent";
    bool has_failed = kind == CLY_TIMEOUT && last->kind == CLY_NETWORK;
    cly_error_clear(&call->error);
    cly_error_set(&call->error, kind, CLY_NOT_SENT, "%s %s%s%s", what, when, has_failed ? "; " : "",
                  has_failed ? last->message : "");
}

/* The caller has set call->error. */
static void finish_between(cly_call *call, double now) {
    call->error.hint = cly_kind_hint(call->error.kind, CLY_NOT_SENT);
    call->error.status = call->status;
    finish(call, now);
}

static void end_between(cly_call *call, cly_kind kind, const char *what, double now) {
    const cly_error last = call->error;
    say_between(call, kind, what, &last);
    finish_between(call, now);
}

void cly_call_refuse(cly_call *call, double retry_after, double now) {
    if (call->state != CLY_CALL_READY) return;
    cly_error_clear(&call->error);
    cly_error_set(&call->error, CLY_RATE_LIMITED, CLY_NOT_SENT,
                  "the API answered 429: wait another %.0f s; this call has %.0f s left", ceil(retry_after),
                  floor(fmax(0, call->deadline - now)));
    call->error.retry_after = retry_after;
    finish_between(call, now);
}

cly_step cly_call_next(cly_call *call, double now) {
    switch (call->state) {
    case CLY_CALL_SENT: return CLY_STEP_WAIT;
    case CLY_CALL_DONE: return CLY_STEP_DONE;
    default: break;
    }
    if (now >= call->deadline) {
        end_between(call, CLY_TIMEOUT, "time ran out", now);
        return CLY_STEP_DONE;
    }
    return now < call->wait_until ? CLY_STEP_WAIT : CLY_STEP_SEND;
}

void cly_call_sent(cly_call *call) {
    call->state = CLY_CALL_SENT;
    call->attempts++;
    cly_error_clear(&call->error);
}

/* An idempotent POST only reads, like a GET: it has no effect that may have arrived. */
static bool only_reads(const cly_operation *operation) {
    return operation->is_idempotent && operation->method &&
           (strcmp(operation->method, "GET") == 0 || strcmp(operation->method, "POST") == 0);
}

static void decide(cly_call *call, cly_call_rules *rules, double chance, double now) {
    cly_retry_question question = {
        &call->error,     call->attempts - call->probes, call->operation->is_idempotent,
        rules->is_outage, call->deadline - now,          chance};
    if (call->error.outcome == CLY_UNKNOWN && !only_reads(call->operation)) call->may_have_arrived = true;
    call->decision = cly_retry_decide(&rules->policy, &rules->quota, &question);
    if (!call->decision.again) {
        finish(call, now);
        return;
    }
    if (call->decision.is_free) call->probes++;
    call->state = CLY_CALL_READY;
    call->wait_until = now + call->decision.delay;
}

static bool begins(const char *text, const char *with) {
    return text && strncmp(text, with, strlen(with)) == 0;
}

/* True for an error with the API's own markers that is not about the business. A 404 from a router or a
 * gateway proves nothing about the object to be deleted. API: errors, body shape. */
static bool is_word_of_api(const cly_response *response) {
    const char *type = cly_response_text(response, CLY_TEXT_TYPE);
    const char *code = cly_response_text(response, CLY_TEXT_CODE);
    if (!begins(type, "ERROR_TYPE_") && !begins(code, "ERROR_CODE_")) return false;
    return !(code && strstr(code, "BUSINESS"));
}

/* An earlier attempt may have deleted the object, so that this one does not find it. RFC 9110, section
 * 9.2.2: the effect is the same, though the response may differ. */
static bool is_deleted(const cly_call *call, const cly_report *report) {
    return call->may_have_arrived && call->operation->method &&
           strcmp(call->operation->method, "DELETE") == 0 && report->end == CLY_END_REPLY &&
           (report->status == 404 || report->status == 410) && is_word_of_api(&call->response);
}

void cly_call_report(cly_call *call, cly_call_rules *rules, const cly_report *report, double chance,
                     double now) {
    if (call->state != CLY_CALL_SENT) return;
    call->status = report->status;
    cly_outcome_read(report, call->operation, &call->response, rules->secret);
    if (cly_outcome_judge(report, call->operation, call->batch, &call->response, &call->error) != CLY_OK &&
        !is_deleted(call, report)) {
        if (report->end == CLY_END_CANCELED)
            finish(call, now);
        else
            decide(call, rules, chance, now);
        return;
    }
    cly_error_clear(&call->error);
    cly_retry_succeeded(&rules->quota, call->attempts);
    finish(call, now);
}

void cly_call_withdraw(cly_call *call) {
    if (call->state != CLY_CALL_SENT) return;
    call->state = CLY_CALL_READY;
    call->attempts--;
}

void cly_call_cancel(cly_call *call, double now) {
    if (call->state == CLY_CALL_READY) end_between(call, CLY_CANCELED, "canceled", now);
}
