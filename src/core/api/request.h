/*
 * request.h - builds the URL and the fixed headers of a request.
 */
#ifndef CLY_CORE_API_REQUEST_H
#define CLY_CORE_API_REQUEST_H

#include "core/base/buffer.h"

CLY_PRIVATE_BEGIN

enum { CLY_URL_MAX = 16 * 1024, CLY_HEADER_MAX = 8 * 1024 };

/* <base_url>/v1/businesses/<business id, percent-encoded><path>, zero-terminated.
 * API: base and authentication. */
cly_kind cly_request_url(cly_buffer *url, const char *base_url, const char *business_id, const char *path,
                         cly_error *error) CLY_MUST_CHECK;

/* Returns the length of a URL's scheme and authority (RFC 3986, 3). The request target follows (RFC
 * 9112, 3.2.1). */
size_t cly_request_origin(const char *url);

/* Writes "name: value", zero-terminated. Fails if the value contains a line break or another control
 * byte, which prevents header injection. */
cly_kind cly_request_header(cly_buffer *line, const char *name, const char *value,
                            cly_error *error) CLY_MUST_CHECK;

/* Copies a line into `list`. Returns false if out of memory. */
typedef bool cly_request_add(void *list, const char *line);

/* Calls `add` with each header line that all requests of a client have, with or without a body.
 * Temporary buffers that held the key are wiped. */
cly_kind cly_request_headers(cly_request_add *add, void *list, const char *api_key, const char *user_agent,
                             bool has_body, cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
