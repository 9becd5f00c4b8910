/*
 * call.h - one call, from its first attempt to its final outcome.
 *
 * A machine that is told the time, the chance and the bytes and says what comes
 * next:
 *
 *   cly_call_begin(&call, operation, batch, timeout, now);
 *   switch (cly_call_next(&call, now)) {
 *   case CLY_STEP_SEND:  when the limiter lets it: cly_call_sent(&call), send it,
 *                        and say how that ended: cly_call_report(...)
 *   case CLY_STEP_WAIT:  ask again at call.wait_until
 *   case CLY_STEP_DONE:  read call.error
 *   }
 *
 * It opens nothing, waits for nothing and knows no clock: the engine
 * and the tests only carry. `timeout` is one budget for everything, the
 * waits for the limiter and between attempts included. Time is seconds on any
 * monotonic clock.
 *
 * The outcome is that of the call, not of its last attempt: when any attempt may
 * have arrived and none is known to have, the call's outcome is unknown. But what is
 * to be deleted, and is not there when it is asked for again, is deleted.
 */
#ifndef CLY_CORE_CALL_CALL_H
#define CLY_CORE_CALL_CALL_H

#include "core/call/retry.h"
#include "core/reply/outcome.h"

CLY_PRIVATE_BEGIN

typedef enum cly_step {
    CLY_STEP_SEND, /* make an attempt as soon as the limiter allows */
    CLY_STEP_WAIT, /* nothing to do before `wait_until`, or before the report */
    CLY_STEP_DONE  /* `error.kind` is CLY_OK, or says what went wrong */
} cly_step;

typedef enum cly_call_state { CLY_CALL_READY, CLY_CALL_SENT, CLY_CALL_DONE } cly_call_state;

typedef struct cly_call {
    const cly_operation *operation;
    cly_batch batch; /* of campaigns, for which the reply must account */
    cly_call_state state;
    double started_at, deadline, wait_until, ended_at;
    int attempts;
    int probes; /* of those: did not reach the API in an outage, and do not count for max_attempts */
    int status; /* of the last reply, 0 if none came */
    bool may_have_arrived;     /* an attempt ended in doubt */
    cly_error error;           /* while READY: how the attempt before ended */
    cly_response response;     /* of the last attempt */
    cly_retry_answer decision; /* after the last report: once more, and why (not) */
} cly_call;

/* What a client's calls have in common; borrowed. */
typedef struct cly_call_rules {
    cly_retry_policy policy;
    cly_retry_quota quota;
    const char *secret; /* masked in all that is kept of a reply */
    bool is_outage;     /* the API was reached before and is not now */
} cly_call_rules;

/* Embedded: init once, begin as often as it is used again, clear at the end. */
void cly_call_init(cly_call *call);
void cly_call_clear(cly_call *call);
void cly_call_begin(cly_call *call, const cly_operation *operation, cly_batch batch, double timeout,
                    double now);

/* What comes next. */
cly_step cly_call_next(cly_call *call, double now);

/* The attempt that SEND asked for is being made; a report must follow. */
void cly_call_sent(cly_call *call);

/* How the attempt ended; `chance` is from 0 (included) to 1 (excluded). */
void cly_call_report(cly_call *call, cly_call_rules *rules, const cly_report *report, double chance,
                     double now);

/* The attempt that SEND asked for was not begun: as if it had not been. */
void cly_call_withdraw(cly_call *call);

/* Ends a call between attempts, because the API asked to wait for longer than it has time. */
void cly_call_refuse(cly_call *call, double retry_after, double now);

/* Ends a call between attempts. One whose attempt is running is ended by
 * stopping that and reporting CLY_END_CANCELED. */
void cly_call_cancel(cly_call *call, double now);

CLY_PRIVATE_END

#endif
