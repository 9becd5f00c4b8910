/*
 * libcurl_faults.h - what is wrong with a version of libcurl, and is worked around.
 */
#ifndef CLY_CORE_CONNECT_LIBCURL_FAULTS_H
#define CLY_CORE_CONNECT_LIBCURL_FAULTS_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

typedef struct cly_libcurl_faults {
    bool raises_sigpipe;      /* up to 7.87: a write to a connection that was reset does */
    bool loses_proxied_reply; /* up to 7.88.0: over HTTP/2 inside an https:// proxy's TLS, at times */
    bool needs_room; /* 7.88.0 to 8.0.1: breaks a request over HTTP/2 whose first write the kernel refuses */
    bool loses_early_replies; /* up to 8.4: over HTTP/2, one that comes between a request's head and its body
                               */
} cly_libcurl_faults;

/* Of a version as libcurl writes it: 0x075801 is 7.88.1. */
cly_libcurl_faults cly_libcurl_faults_of(unsigned version);

CLY_PRIVATE_END

#endif
