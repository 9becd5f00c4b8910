/*
 * outcome.h - derives the outcome of an attempt from how it ended.
 *
 * io reports what it observed; core decides what follows. The important question is whether the message
 * may have arrived. It is answered only from proof; without proof the outcome is "unknown".
 */
#ifndef CLY_CORE_REPLY_OUTCOME_H
#define CLY_CORE_REPLY_OUTCOME_H

#include "core/api/operation.h"
#include "core/reply/response.h"

CLY_PRIVATE_BEGIN

typedef enum cly_end {
    CLY_END_REPLY,     /* a complete reply arrived */
    CLY_END_UNREACHED, /* name resolution, the connection or TLS failed */
    CLY_END_UNTRUSTED, /* the API's certificate could not be verified */
    CLY_END_PROXY_UNTRUSTED,
    CLY_END_PROXY_REFUSED, /* the proxy refused to connect to the API */
    CLY_END_LOST,          /* the connection was lost later */
    CLY_END_TIMEOUT,       /* the time for the attempt ran out */
    CLY_END_TOO_BIG,       /* the reply exceeded its maximum size and was not read further */
    CLY_END_CANCELED,
    CLY_END_NO_MEMORY,     /* nothing was attempted */
    CLY_END_NO_DESCRIPTOR, /* no file descriptor was available for a connection */
    CLY_END_PARKED         /* the attempt was not started, and will be tried again */
} cly_end;

typedef struct cly_report {
    cly_end end;
    bool bytes_left;    /* bytes of the request may have left this machine */
    int status;         /* from the final status line, 0 if none came */
    double retry_after; /* seconds, negative if not given */
    const char *reason; /* io's description of a failure, or NULL; borrowed */
    const char *body;   /* as much of the body as arrived; borrowed */
    size_t length;
} cly_report;

/* True for a complete reply with a 2xx status. */
static inline bool cly_report_is_success(const cly_report *report) {
    return report->end == CLY_END_REPLY && report->status >= 200 && report->status < 300;
}

/* Reads the body into `response`, according to the kind of reply that the operation has. */
void cly_outcome_read(const cly_report *report, const cly_operation *operation, cly_response *response,
                      const char *secret);

/* Decides the result of an attempt whose body was read by cly_outcome_read; CLY_OK is success. `batch`
 * is what a reply to send_campaigns must account for. Sets kind, outcome, message, status, hint and
 * retry_after. */
cly_kind cly_outcome_judge(const cly_report *report, const cly_operation *operation, cly_batch batch,
                           const cly_response *response, cly_error *error) CLY_MUST_CHECK;

/* Whether a proxy that answered CONNECT with this status would refuse again; 0 means no answer. */
bool cly_outcome_refuses_connect(long status);

/* Sets the error of a message that was accepted but not delivered, from a status webhook that was read
 * into `response`. */
void cly_outcome_delivery(const cly_response *response, cly_error *error);

CLY_PRIVATE_END

#endif
