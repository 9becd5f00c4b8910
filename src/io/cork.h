/*
 * cork.h - what is written in one round to one connection leaves together.
 *
 * On HTTP/2 libcurl writes the head and the body of each request by themselves, and
 * so many packets cost both ends more than what is in them. While the kernel holds
 * them back, which a full packet ends anyway, they leave as few.
 */
#ifndef CLY_IO_CORK_H
#define CLY_IO_CORK_H

#include "core/visibility.h"
#include <curl/curl.h>
#include <stdbool.h>

CLY_PRIVATE_BEGIN

enum { CLY_CORK_SOCKETS = 4 };

/* The sockets of a curl_multi that are open, as long as they are few: where there
 * are more, it is HTTP/1.1, and each takes one write. */
typedef struct cly_cork {
    curl_socket_t sockets[CLY_CORK_SOCKETS];
    int known, open;
    bool is_held;
} cly_cork;

/* Lets it know of the sockets that this handle opens. It outlives all of them. */
bool cly_cork_watch(cly_cork *cork, CURL *easy);

/* Before and after libcurl writes `requests` of them; does nothing when it would
 * not pay. */
void cly_cork_hold(cly_cork *cork, int requests);
void cly_cork_release(cly_cork *cork);

CLY_PRIVATE_END

#endif
