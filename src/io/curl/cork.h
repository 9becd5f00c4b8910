/*
 * cork.h - combines the writes of one turn on one connection into few packets.
 *
 * Over HTTP/2 libcurl writes the head and the body of each request separately. So many packets cost
 * both ends more than their contents. And up to 8.4 libcurl drops a reply that arrives between the two,
 * such as an early 413 or 429. While a socket is corked, the kernel sends only full packets and holds
 * the rest back.
 */
#ifndef CLY_IO_CURL_CORK_H
#define CLY_IO_CURL_CORK_H

#include "io/curl/connections.h"

CLY_PRIVATE_BEGIN

/* With more connections that accept requests, corking costs more than it saves. */
enum { CLY_CORK_SOCKETS = 4 };

typedef struct cly_cork {
    cly_connections *connections; /* borrowed */
    bool loses_early_replies;     /* a bug of the running libcurl */
} cly_cork;

void cly_cork_init(cly_cork *cork, cly_connections *connections);

/* Call them before and after libcurl writes `requests` requests. They do nothing when corking would
 * neither save a reply nor be worth its cost. */
void cly_cork_hold(cly_cork *cork, int requests);
void cly_cork_release(cly_cork *cork);

CLY_PRIVATE_END

#endif
