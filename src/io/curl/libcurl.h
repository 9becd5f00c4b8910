/*
 * libcurl.h - the libcurl that runs, which may be another one than was compiled with.
 */
#ifndef CLY_IO_CURL_LIBCURL_H
#define CLY_IO_CURL_LIBCURL_H

#include "core/connect/ca_paths.h"
#include "core/connect/libcurl_faults.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* Texts are static; NULL for none. */
typedef struct cly_libcurl {
    const char *version, *tls; /* "8.14.1", "OpenSSL/3.5.1" */
    const char *bundle;        /* of certificates, that it was built with */
    bool has_http2;
} cly_libcurl;

cly_libcurl cly_libcurl_running(void);

/* Where it and the system have certificates. */
cly_ca_system cly_libcurl_ca_system(void);

/* Starts libcurl, once in a process: before 7.84 two threads must not start it at once.
 * It is never undone, because engines are freed by any thread; what it keeps is the same
 * for the thousandth engine. False without memory. */
bool cly_libcurl_start(void);

cly_libcurl_faults cly_libcurl_running_faults(void);

/* NULL without memory, or a descriptor. */
CURLM *cly_libcurl_new_multi(long connections);

CLY_PRIVATE_END

#endif
