/*
 * connect_failure.h - why an attempt ended before its request was issued.
 *
 * Most causes may be gone a moment later: a name that does not resolve, a server that does not listen.
 * An unverifiable certificate and a proxy that refuses persist until a setting is changed, so the calls
 * of those attempts are not retried.
 */
#ifndef CLY_IO_CURL_CONNECT_FAILURE_H
#define CLY_IO_CURL_CONNECT_FAILURE_H

#include "core/reply/outcome.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* For a transfer that libcurl ended with `code` before its request was issued. */
cly_end cly_connect_failure(CURL *easy, CURLcode code);

/* Whether the process has no file descriptor left, so that existing certificates could not be
 * read. */
bool cly_connect_failure_lacks_descriptors(void);

/* Whether the certificate that failed verification is that of an https:// proxy. */
bool cly_connect_failure_is_proxys(CURL *easy);

CLY_PRIVATE_END

#endif
