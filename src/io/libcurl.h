/*
 * libcurl.h - the libcurl that runs, which may be another one than was compiled with.
 */
#ifndef CLY_IO_LIBCURL_H
#define CLY_IO_LIBCURL_H

#include "core/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* Texts are static; NULL for none. */
typedef struct cly_libcurl {
    const char *version, *tls; /* "8.14.1", "OpenSSL/3.5.1" */
    const char *bundle;        /* of certificates, that it was built with */
    bool has_http2;
} cly_libcurl;

cly_libcurl cly_libcurl_running(void);

CLY_PRIVATE_END

#endif
