/*
 * call_support.h - the calls of a test: submitted, finished, and looked at.
 *
 *   call_submit(calls, call_submission(server.url, 5), &ticket, NULL);
 *   call_finish(engine, ticket, 2);
 *   call_result(calls, ticket).call->error
 */
#ifndef CLY_SPEC_IO_CALL_SUPPORT_H
#define CLY_SPEC_IO_CALL_SUPPORT_H

#include "io/engine.h"

/* A message by POST, submitted now and without a body; to be changed as a test wants it. */
cly_submission call_submission(const char *url, double timeout);

/* Gives it the body `{}`, where it is a POST; yours to clear. */
void call_body(cly_submission *submission, cly_buffer *body);

/* Submits it with such a body. `error` may be NULL. */
cly_kind call_submit(cly_call_table *calls, cly_submission submission, cly_ticket *ticket, cly_error *error);

/* Makes steps until it is done; fails after so many seconds. */
void call_finish(cly_engine *engine, cly_ticket ticket, double seconds);

/* Of a call that is done. */
cly_result call_result(cly_call_table *calls, cly_ticket ticket);

/* The first call of the group that has ended, 0 for none; its result is what the table gives
 * for its ticket. */
cly_ticket call_first_done(cly_call_table *calls, unsigned group);

/* Every call is in exactly one of the counters. */
cly_stats call_stats(cly_call_table *calls);

#endif
