/*
 * retry.h - once more or not, and when.
 *
 * Repeated by itself is only what is proved not sent: DNS, connect and TLS
 * failures, a connection that died before a byte of the request left, and 429.
 * What may have arrived is repeated when the caller chose at least once
 * (retry_unknown) or when the operation is idempotent. What the API refused is
 * never repeated, nor is an error that lasts until a setting is changed: a
 * certificate that cannot be verified, a proxy that refuses. The delay is what the server asked for, else
 * full-jitter backoff; one that does not fit into the budget ends the call at once.
 *
 * In an outage a call that did not reach the API is repeated for as long as its time
 * lasts, whatever its attempts: the engine makes one attempt at a time then, so that
 * it costs neither a quota nor the server anything.
 *
 * A pure function: the chance and the time are passed in.
 */
#ifndef CLY_CORE_CALL_RETRY_H
#define CLY_CORE_CALL_RETRY_H

#include "core/base/error.h"

CLY_PRIVATE_BEGIN

typedef struct cly_retry_policy {
    int max_attempts;
    bool retry_unknown; /* at least once instead of at most once */
} cly_retry_policy;

/* What one client's calls may spend on repeating, so that an outage is not
 * multiplied by everybody's retries. Successes earn it back. Plain value. */
typedef struct cly_retry_quota {
    double tokens;
} cly_retry_quota;

typedef struct cly_retry_question {
    const cly_error *error; /* how the attempt ended */
    int attempts;           /* made so far that count */
    bool is_idempotent;
    bool is_outage;   /* the API was reached before and is not now */
    double time_left; /* seconds of the call's budget */
    double chance;    /* from 0 (included) to 1 (excluded) */
} cly_retry_question;

typedef struct cly_retry_answer {
    bool again;
    double delay;       /* seconds; when again */
    const char *reason; /* static, for events and tests */
    bool is_free;       /* the attempt before does not count for max_attempts */
} cly_retry_answer;

enum { CLY_RETRY_QUOTA = 500, CLY_RETRY_COST = 5 };

cly_retry_quota cly_retry_quota_make(void);

/* Decides; a yes is taken from the quota. */
cly_retry_answer cly_retry_decide(const cly_retry_policy *policy, cly_retry_quota *quota,
                                  const cly_retry_question *question);

/* A call succeeded: gives back what its `attempts` took, and a little more. */
void cly_retry_succeeded(cly_retry_quota *quota, int attempts);

CLY_PRIVATE_END

#endif
