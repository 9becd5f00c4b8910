/*
 * sendouts.h - checks what a reply to send_campaigns says about the entries.
 *
 * The API answers 200 even if it refused entries, so the status is not enough. Each item of `data`, one
 * per campaign and version, gives the number of accepted and refused entries. The reply is a success
 * only if they account for all entries that were sent. Nothing is allocated, so a lack of memory cannot
 * change the result. API: campaigns.
 *
 *   cly_sendouts_read(&sendouts, &problem, body, length);
 *   if (cly_sendouts_judge(&sendouts, batch, &error) == CLY_OK) ...all were accepted...
 *
 * A count is a number, or decimal digits in a string, as protobuf writes it; a count of 0 may be
 * omitted. More than 15 digits are not a valid count.
 */
#ifndef CLY_CORE_REPLY_SENDOUTS_H
#define CLY_CORE_REPLY_SENDOUTS_H

#include "core/base/error.h"
#include "core/json/json.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

/* The contents of a request; all zero for requests other than send_campaigns. */
typedef struct cly_batch {
    int entries;
    int sendouts; /* distinct campaigns and versions among them; each becomes one sendout */
} cly_batch;

/* A plain value; all zero if nothing was read. */
typedef struct cly_sendouts {
    int count;                   /* 0 if the reply does not say how many entries were accepted */
    uint64_t accepted, rejected; /* entries, summed over all sendouts */
    bool has_problem;            /* the reply contains an error */
    bool all_failed;             /* every sendout contains an error */
} cly_sendouts;

/* Reads a JSON reply. `*problem` receives the first error in it, which may have any type; it is
 * borrowed from the body, and ABSENT if there is none. Returns false and sets `sendouts` to zero if the
 * reply does not say how many entries were accepted. */
bool cly_sendouts_read(cly_sendouts *sendouts, cly_json_value *problem, const char *body, size_t length);

/* Decides the result of the request. The outcome is rejected only if no entry can have been accepted:
 * each entry was refused, or each sendout failed. If some entries were accepted or are not accounted
 * for, the outcome is unknown. */
cly_kind cly_sendouts_judge(const cly_sendouts *sendouts, cly_batch batch, cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
