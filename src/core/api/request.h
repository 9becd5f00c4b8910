/*
 * request.h - where a request goes, and what its fixed headers are.
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

/* How many bytes of a URL are its scheme and authority (RFC 3986, 3); behind them stands
 * the target of the request (RFC 9112, 3.2.1). */
size_t cly_request_origin(const char *url);

/* "name: value", zero-terminated; a value with a line break or another control
 * byte is refused, so that nobody can slip a header in. */
cly_kind cly_request_header(cly_buffer *line, const char *name, const char *value,
                            cly_error *error) CLY_MUST_CHECK;

/* Takes a copy of a line; false without memory. */
typedef bool cly_request_add(void *list, const char *line);

/* Gives `add` the header lines that all requests of a client have, with a body or without
 * one. What held the key meanwhile is wiped. */
cly_kind cly_request_headers(cly_request_add *add, void *list, const char *api_key, const char *user_agent,
                             bool has_body, cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
