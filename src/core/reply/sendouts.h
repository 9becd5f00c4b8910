/*
 * sendouts.h - what a reply says of the entries of campaigns.
 *
 * The API answers 200 also when it refused entries, so a status says nothing: each
 * item of `data`, one for a campaign and version, says how many it took and how many
 * it refused. A reply is a success only when that accounts for all entries that were
 * sent. Nothing is allocated, so memory has no say in it. API: campaigns.
 *
 *   cly_sendouts_read(&sendouts, &problem, body, length);
 *   if (cly_sendouts_judge(&sendouts, batch, &error) == CLY_OK) ...all were accepted...
 *
 * A count is a number, or the digits of one in a string, as protobuf writes it; what
 * is 0 may be left out. One of more than 15 digits is none.
 */
#ifndef CLY_CORE_REPLY_SENDOUTS_H
#define CLY_CORE_REPLY_SENDOUTS_H

#include "core/base/error.h"
#include "core/json/json.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

/* What a request holds; all zero for what is none of campaigns. */
typedef struct cly_batch {
    int entries;
    int sendouts; /* campaigns and versions among them: each becomes one */
} cly_batch;

/* Plain value; all zero: nothing was read. */
typedef struct cly_sendouts {
    int count;                   /* 0: the reply does not say how many were accepted */
    uint64_t accepted, rejected; /* entries, of all sendouts together */
    bool has_problem;            /* an error stands somewhere */
    bool all_failed;             /* one stands in each sendout */
} cly_sendouts;

/* Reads a reply that is JSON. `*problem` becomes the first error that stands in it,
 * which may be of any type; it is borrowed from the body, and ABSENT when there is
 * none. False, and all zero, when the reply does not say how many were accepted. */
bool cly_sendouts_read(cly_sendouts *sendouts, cly_json_value *problem, const char *body, size_t length);

/* What follows for the request. The outcome is rejected only where nobody can have
 * been taken: each entry was refused, or each sendout failed; of what was taken in
 * part, or is not accounted for, nobody may say that it was not. */
cly_kind cly_sendouts_judge(const cly_sendouts *sendouts, cly_batch batch, cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
