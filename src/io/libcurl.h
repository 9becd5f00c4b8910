/*
 * libcurl.h - the libcurl that runs, which may be another one than was compiled with.
 */
#ifndef CLY_IO_LIBCURL_H
#define CLY_IO_LIBCURL_H

#include "core/ca_paths.h"

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

/* Up to 8.4: drops a reply over HTTP/2 that comes between a request's head and its body. */
bool cly_libcurl_loses_early_replies(void);

/* Up to 7.87: a write to a connection that was reset raises SIGPIPE. */
bool cly_libcurl_raises_sigpipe(void);

/* 7.88.0 to 8.0.1: breaks a request over HTTP/2 whose first write the kernel refuses. */
bool cly_libcurl_needs_room(void);

CLY_PRIVATE_END

#endif
