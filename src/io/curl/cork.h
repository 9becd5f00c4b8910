/*
 * cork.h - what is written in one round to one connection leaves together.
 *
 * Over HTTP/2 libcurl writes the head and the body of each request by themselves. So
 * many packets cost both ends more than their contents do. And up to 8.4 libcurl drops
 * a reply that comes between the two, such as an early 413 or 429. While the kernel
 * holds the writes back, which a full packet ends anyway, they leave as few.
 */
#ifndef CLY_IO_CURL_CORK_H
#define CLY_IO_CURL_CORK_H

#include "io/curl/connections.h"

CLY_PRIVATE_BEGIN

/* Where more take requests it does not pay. */
enum { CLY_CORK_SOCKETS = 4 };

typedef struct cly_cork {
    cly_connections *connections; /* borrowed */
    bool loses_early_replies;     /* the libcurl that runs */
} cly_cork;

void cly_cork_init(cly_cork *cork, cly_connections *connections);

/* Before and after libcurl writes `requests` of them; does nothing when it would neither
 * save a reply nor pay. */
void cly_cork_hold(cly_cork *cork, int requests);
void cly_cork_release(cly_cork *cork);

CLY_PRIVATE_END

#endif
