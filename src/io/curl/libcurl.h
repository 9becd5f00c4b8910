/*
 * libcurl.h - the libcurl loaded at run time, which may differ from the one compiled against.
 */
#ifndef CLY_IO_CURL_LIBCURL_H
#define CLY_IO_CURL_LIBCURL_H

#include "core/connect/ca_paths.h"
#include "core/connect/libcurl_faults.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* Strings are static; NULL for none. */
typedef struct cly_libcurl {
    const char *version, *tls; /* "8.14.1", "OpenSSL/3.5.1" */
    const char *bundle;        /* built-in path of the certificate bundle */
    bool has_http2;
} cly_libcurl;

cly_libcurl cly_libcurl_running(void);

/* Where libcurl and the system keep certificates. */
cly_ca_system cly_libcurl_ca_system(void);

/* Initializes libcurl once per process: before 7.84, two threads must not do so at the same time. There
 * is no cleanup, because any thread may free an engine; the memory that libcurl keeps does not grow with
 * the number of engines. Returns false if out of memory. */
bool cly_libcurl_start(void);

cly_libcurl_faults cly_libcurl_running_faults(void);

/* Returns NULL without memory or a free file descriptor. */
CURLM *cly_libcurl_new_multi(long connections);

CLY_PRIVATE_END

#endif
