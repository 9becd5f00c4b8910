/*
 * endpoint.h - the requests that are not messages: a path with arguments, a query, an
 * object of fields. API: campaigns, webhooks (registration), other endpoints.
 */
#ifndef CLY_CORE_ENDPOINT_H
#define CLY_CORE_ENDPOINT_H

#include "core/api/operation.h"
#include "core/sendouts.h"
#include "core/walk.h"

CLY_PRIVATE_BEGIN

/* Appends the operation's path with its arguments, percent-encoded, and its query. */
void cly_write_path(cly_walk *walk, const cly_operation *operation, const cly_slots *slots, cly_buffer *path);

/* Writes the fields that go in the body, as an object; nothing when the shape has
 * none. */
void cly_write_fields(cly_walk *walk, const cly_slots *slots);

/* The body of send_campaigns; returns what it holds. Nobody may stand in it twice for
 * one campaign and version: `spans` is the encoder's, for that comparison.
 * `default_sender` is E.164 or NULL. */
cly_batch cly_write_campaigns(cly_walk *walk, const cly_slots *slots, const char *default_sender,
                              cly_buffer *spans);

CLY_PRIVATE_END

#endif
