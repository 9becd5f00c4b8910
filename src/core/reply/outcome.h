/*
 * outcome.h - how one attempt ended, and what that means for the message.
 *
 * io says what it saw (a report); core says what follows from it. The question
 * that matters is whether the message may have arrived: it is answered from
 * what is proved, and where nothing is proved the answer is "unknown".
 */
#ifndef CLY_CORE_REPLY_OUTCOME_H
#define CLY_CORE_REPLY_OUTCOME_H

#include "core/api/operation.h"
#include "core/reply/response.h"

CLY_PRIVATE_BEGIN

typedef enum cly_end {
    CLY_END_REPLY,     /* a whole reply came */
    CLY_END_UNREACHED, /* name, connection or TLS failed */
    CLY_END_UNTRUSTED, /* the API's certificate could not be verified */
    CLY_END_PROXY_UNTRUSTED,
    CLY_END_PROXY_REFUSED, /* the proxy answered that it does not connect to the API */
    CLY_END_LOST,          /* the connection broke later */
    CLY_END_TIMEOUT,       /* the time given to the attempt ran out */
    CLY_END_TOO_BIG,       /* the reply passed its ceiling and was not read on */
    CLY_END_CANCELED,
    CLY_END_NO_MEMORY,     /* nothing was tried */
    CLY_END_NO_DESCRIPTOR, /* no file descriptor was free for a connection */
    CLY_END_PARKED         /* it was not begun, and is to be tried again */
} cly_end;

typedef struct cly_report {
    cly_end end;
    bool bytes_left;    /* a byte of the request may have left this machine */
    int status;         /* of the final status line, 0 if none came */
    double retry_after; /* seconds, negative when not said */
    const char *reason; /* io's words for a failure, or NULL; borrowed */
    const char *body;   /* what came of it; borrowed */
    size_t length;
} cly_report;

/* A whole reply with a status of success. */
static inline bool cly_report_is_success(const cly_report *report) {
    return report->end == CLY_END_REPLY && report->status >= 200 && report->status < 300;
}

/* Reads the body into `response`, as what the operation's reply is. */
void cly_outcome_read(const cly_report *report, const cly_operation *operation, cly_response *response,
                      const char *secret);

/* Judges an attempt whose body has been read so; CLY_OK is success. `batch` is
 * what the reply of campaigns must account for. Sets kind, outcome, message,
 * status, hint, retry_after. */
cly_kind cly_outcome_judge(const cly_report *report, const cly_operation *operation, cly_batch batch,
                           const cly_response *response, cly_error *error) CLY_MUST_CHECK;

/* Whether a proxy that answers CONNECT with this status would do so again; 0: no answer. */
bool cly_outcome_refuses_connect(long status);

/* The error of a message that had been accepted and was not delivered, as the
 * webhook that says so was read into `response`. */
void cly_outcome_delivery(const cly_response *response, cly_error *error);

CLY_PRIVATE_END

#endif
