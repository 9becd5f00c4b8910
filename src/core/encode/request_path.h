/*
 * request_path.h - encodes the requests that are not messages: a path with arguments, a query, an
 * object of fields. API: campaigns, webhooks (registration), other endpoints.
 */
#ifndef CLY_CORE_ENCODE_REQUEST_PATH_H
#define CLY_CORE_ENCODE_REQUEST_PATH_H

#include "core/api/operation.h"
#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

/* Appends the operation's path with its percent-encoded arguments, and its query. */
void cly_write_path(cly_reader *reader, const cly_operation *operation, const cly_slots *slots,
                    cly_buffer *path);

/* Writes the fields of the body as an object, or nothing if the shape has none. */
void cly_write_fields(cly_reader *reader, const cly_slots *slots);

CLY_PRIVATE_END

#endif
