/*
 * retry.h - decides whether and when to retry.
 *
 * A call is retried automatically only if the attempt was provably not sent: DNS, connect and TLS
 * failures, a connection that was lost before any byte of the request left, and 429. An attempt that
 * may have arrived is retried only if the caller chose at least once (retry_unknown) or the operation
 * is idempotent. A request that the API refused is never retried, nor is an error that lasts until a
 * setting is changed, such as a certificate that cannot be verified or a proxy that refuses. The delay
 * is the one that the server asked for, else full-jitter backoff. If the delay does not fit into the
 * call's budget, the call ends at once.
 *
 * In an outage, a call that did not reach the API is retried until its time runs out, regardless of the
 * number of attempts. The engine then makes one attempt at a time, so these retries cost no quota and
 * put no load on the server.
 *
 * A pure function: the caller passes the random number and the time.
 */
#ifndef CLY_CORE_CALL_RETRY_H
#define CLY_CORE_CALL_RETRY_H

#include "core/base/error.h"

CLY_PRIVATE_BEGIN

typedef struct cly_retry_policy {
    int max_attempts;
    bool retry_unknown; /* at least once instead of at most once */
} cly_retry_policy;

/* The retry budget of one client, so that the retries of all its calls do not multiply the load in an
 * outage. Successes refill it. A plain value. */
typedef struct cly_retry_quota {
    double tokens;
} cly_retry_quota;

typedef struct cly_retry_question {
    const cly_error *error; /* error of the attempt */
    int attempts;           /* counted attempts so far */
    bool is_idempotent;
    bool is_outage;   /* the API was reachable before and is not now */
    double time_left; /* seconds of the call's budget */
    double chance;    /* from 0 (included) to 1 (excluded) */
} cly_retry_question;

typedef struct cly_retry_answer {
    bool again;
    double delay;       /* seconds; if `again` */
    const char *reason; /* static, for events and tests */
    bool is_free;       /* the failed attempt does not count for max_attempts */
} cly_retry_answer;

enum { CLY_RETRY_QUOTA = 500, CLY_RETRY_COST = 5 };

cly_retry_quota cly_retry_quota_make(void);

/* Decides on a retry. If the answer is yes, the cost is taken from the quota. */
cly_retry_answer cly_retry_decide(const cly_retry_policy *policy, cly_retry_quota *quota,
                                  const cly_retry_question *question);

/* A call succeeded: refunds the cost of its `attempts`, plus a little more. */
void cly_retry_succeeded(cly_retry_quota *quota, int attempts);

CLY_PRIVATE_END

#endif
