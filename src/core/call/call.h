/*
 * call.h - the state machine of one call, from its first attempt to its final outcome.
 *
 * It is given the time, a random number and reports, and returns the next step:
 *
 *   cly_call_begin(&call, operation, batch, timeout, now);
 *   switch (cly_call_next(&call, now)) {
 *   case CLY_STEP_SEND:  when the limiter admits it: cly_call_sent(&call), send it,
 *                        and report how that ended: cly_call_report(...)
 *   case CLY_STEP_WAIT:  ask again at call.wait_until
 *   case CLY_STEP_DONE:  read call.error
 *   }
 *
 * It does no I/O, never waits and reads no clock; the engine and the tests do that. `timeout` is one
 * budget for everything, including the waits for the limiter and between attempts. Time is seconds on
 * any monotonic clock.
 *
 * The outcome is that of the call, not of its last attempt: if any attempt may have arrived and none is
 * known to have arrived, the call's outcome is unknown. Exception: if a repeated DELETE finds that the
 * object does not exist, the call succeeds.
 */
#ifndef CLY_CORE_CALL_CALL_H
#define CLY_CORE_CALL_CALL_H

#include "core/call/retry.h"
#include "core/reply/outcome.h"

CLY_PRIVATE_BEGIN

typedef enum cly_step {
    CLY_STEP_SEND, /* make an attempt as soon as the limiter allows */
    CLY_STEP_WAIT, /* nothing to do before `wait_until`, or before cly_call_report */
    CLY_STEP_DONE  /* `error` has the result; kind CLY_OK is success */
} cly_step;

typedef enum cly_call_state { CLY_CALL_READY, CLY_CALL_SENT, CLY_CALL_DONE } cly_call_state;

typedef struct cly_call {
    const cly_operation *operation;
    cly_batch batch; /* of send_campaigns: the reply must account for it */
    cly_call_state state;
    double started_at, deadline, wait_until, ended_at;
    int attempts;
    int probes; /* of those, free ones: failed to reach the API in an outage; not counted for max_attempts */
    int status; /* of the last reply, 0 if none came */
    bool may_have_arrived;     /* an attempt ended with outcome unknown */
    cly_error error;           /* while READY: the error of the previous attempt */
    cly_response response;     /* of the last attempt */
    cly_retry_answer decision; /* after the last report: whether to retry, and why */
} cly_call;

/* Shared by all calls of a client; borrowed. */
typedef struct cly_call_rules {
    cly_retry_policy policy;
    cly_retry_quota quota;
    const char *secret; /* masked in all texts kept from a reply */
    bool is_outage;     /* the API was reachable before and is not now */
} cly_call_rules;

/* Embed the struct; call init once, begin for each use, and clear at the end. */
void cly_call_init(cly_call *call);
void cly_call_clear(cly_call *call);
void cly_call_begin(cly_call *call, const cly_operation *operation, cly_batch batch, double timeout,
                    double now);

/* Returns the next step. */
cly_step cly_call_next(cly_call *call, double now);

/* The attempt that SEND asked for is being made; cly_call_report must follow. */
void cly_call_sent(cly_call *call);

/* Reports how the attempt ended. `chance` is from 0 (included) to 1 (excluded). */
void cly_call_report(cly_call *call, cly_call_rules *rules, const cly_report *report, double chance,
                     double now);

/* The attempt that SEND asked for was not started; undoes cly_call_sent. */
void cly_call_withdraw(cly_call *call);

/* Ends a call between attempts because the API asked to wait for longer than the call has time. */
void cly_call_refuse(cly_call *call, double retry_after, double now);

/* Ends a call between attempts. To end a call whose attempt is under way, stop the attempt and report
 * CLY_END_CANCELED. */
void cly_call_cancel(cly_call *call, double now);

CLY_PRIVATE_END

#endif
