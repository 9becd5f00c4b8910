/*
 * libcurl_faults.h - bugs of libcurl versions that are worked around.
 */
#ifndef CLY_CORE_CONNECT_LIBCURL_FAULTS_H
#define CLY_CORE_CONNECT_LIBCURL_FAULTS_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

typedef struct cly_libcurl_faults {
    bool raises_sigpipe;      /* up to 7.87: raises SIGPIPE on a write to a connection that was reset */
    bool loses_proxied_reply; /* up to 7.88.0: sometimes, with HTTP/2 inside an https:// proxy's TLS */
    bool needs_room;          /* 7.88.0 to 8.0.1: breaks an HTTP/2 request if its first write would block */
    bool loses_early_replies; /* up to 8.4: HTTP/2, those between a request's head and body */
} cly_libcurl_faults;

/* `version` is in libcurl's format: 0x075801 is 7.88.1. */
cly_libcurl_faults cly_libcurl_faults_of(unsigned version);

CLY_PRIVATE_END

#endif
