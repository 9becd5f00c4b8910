/*
 * call.h - one call, from its first attempt to its final outcome.
 *
 * A machine that is told the time and the bytes and says what comes next:
 *
 *   cly_call_begin(&call, operation, timeout, now);
 *   while (cly_call_next(&call, now) == CLY_STEP_SEND)
 *       ...send it, and say how that ended: cly_call_report(...)
 *
 * It opens nothing, waits for nothing and knows no clock: the engine, the
 * courier and the tests only carry. `timeout` is one budget for everything.
 * Time is seconds on any monotonic clock.
 */
#ifndef CLY_CORE_CALL_H
#define CLY_CORE_CALL_H

#include "core/verdict.h"

CLY_PRIVATE_BEGIN

typedef enum cly_step {
    CLY_STEP_SEND, /* make an attempt now, and report it */
    CLY_STEP_WAIT, /* nothing to do before `wait_until`, or before the report */
    CLY_STEP_DONE  /* `error.kind` is CLY_OK, or says what went wrong */
} cly_step;

typedef enum cly_call_state { CLY_CALL_READY, CLY_CALL_SENT, CLY_CALL_DONE } cly_call_state;

typedef struct cly_call {
    const cly_operation *operation;
    cly_call_state state;
    double started_at, deadline, wait_until, ended_at;
    int attempts;
    int status; /* of the last reply, 0 if none came */
    cly_error error;
    cly_response response; /* of the last attempt */
} cly_call;

/* Embedded: init once, begin as often as it is used again, clear at the end. */
void cly_call_init(cly_call *call);
void cly_call_clear(cly_call *call);
void cly_call_begin(cly_call *call, const cly_operation *operation, double timeout, double now);

/* What comes next. After SEND it expects a report. */
cly_step cly_call_next(cly_call *call, double now);

/* How the attempt ended; `secret` is masked in all that is kept of the reply. */
void cly_call_report(cly_call *call, const cly_report *report, const char *secret, double now);

/* Ends a call between attempts. One whose attempt is running is ended by
 * stopping that and reporting CLY_END_CANCELED. */
void cly_call_cancel(cly_call *call, double now);

CLY_PRIVATE_END

#endif
