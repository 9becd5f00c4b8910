/*
 * connect_failure.h - why an attempt ended before a request was issued.
 *
 * Most causes may be gone a moment later: a name that does not resolve, a server
 * that does not listen. A certificate that cannot be verified and a proxy that
 * says no stay until a setting is changed, so those attempts are not repeated.
 */
#ifndef CLY_IO_CURL_CONNECT_FAILURE_H
#define CLY_IO_CURL_CONNECT_FAILURE_H

#include "core/reply/outcome.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* Of a transfer that libcurl ended with `code` and that has issued nothing. */
cly_end cly_connect_failure(CURL *easy, CURLcode code);

/* Whether the process has no descriptors left, so that certificates which are there
 * could not be read. */
bool cly_connect_failure_lacks_descriptors(void);

/* Whether the certificate that was not verified is that of an https:// proxy. */
bool cly_connect_failure_is_proxys(CURL *easy);

CLY_PRIVATE_END

#endif
