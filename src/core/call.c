#include "core/call.h"

void cly_call_init(cly_call *call) {
    memset(call, 0, sizeof *call);
    cly_response_init(&call->response);
    cly_error_clear(&call->error);
}

void cly_call_clear(cly_call *call) {
    cly_response_clear(&call->response);
}

void cly_call_begin(cly_call *call, const cly_operation *operation, double timeout, double now) {
    call->operation = operation;
    call->state = CLY_CALL_READY;
    call->started_at = now;
    call->deadline = now + timeout;
    call->wait_until = call->deadline;
    call->attempts = 0;
    call->status = 0;
    cly_error_clear(&call->error);
    cly_response_read(&call->response, "", 0, NULL);
}

static void finish(cly_call *call, double now) {
    call->state = CLY_CALL_DONE;
    call->ended_at = now;
    call->error.attempts = call->attempts;
}

/* Ends a call of which nothing has left. */
static void end_unsent(cly_call *call, cly_kind kind, const char *what, double now) {
    cly_error_set(&call->error, kind, CLY_NOT_SENT, "%s before anything was sent", what);
    call->error.hint = cly_kind_hint(kind, CLY_NOT_SENT);
    finish(call, now);
}

cly_step cly_call_next(cly_call *call, double now) {
    switch (call->state) {
    case CLY_CALL_SENT: return CLY_STEP_WAIT;
    case CLY_CALL_DONE: return CLY_STEP_DONE;
    default: break;
    }
    if (now >= call->deadline) {
        end_unsent(call, CLY_TIMEOUT, "time ran out", now);
        return CLY_STEP_DONE;
    }
    call->state = CLY_CALL_SENT;
    call->attempts++;
    return CLY_STEP_SEND;
}

void cly_call_report(cly_call *call, const cly_report *report, const char *secret, double now) {
    if (call->state != CLY_CALL_SENT) return;
    call->status = report->status;
    cly_response_read(&call->response, report->body, report->length, secret);
    if (cly_verdict(report, call->operation, &call->response, &call->error) == CLY_OK)
        cly_error_clear(&call->error);
    finish(call, now);
}

void cly_call_cancel(cly_call *call, double now) {
    if (call->state == CLY_CALL_READY) end_unsent(call, CLY_CANCELED, "canceled", now);
}
