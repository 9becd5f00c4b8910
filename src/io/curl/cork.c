#define _GNU_SOURCE /* TCP_CORK, where there is one */
#include "io/curl/cork.h"

#include "io/curl/libcurl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { WORTH_IT = 4 /* requests per socket: hold and release cost two system calls */ };

void cly_cork_init(cly_cork *cork, cly_connections *connections) {
    cork->connections = connections;
    cork->loses_early_replies = cly_libcurl_running_faults().loses_early_replies;
}

/* A connection of a retired pool may stay open for a while without taking requests. */
static bool takes_requests(const cly_connection *known) {
    const cly_pool *pool = known->pool;
    return known->descriptor >= 0 && pool && (!pool->is_retired || pool->unissued > 0);
}

static bool is_http2(const cly_connection *known) {
    return takes_requests(known) && known->pool->protocol != CLY_PROTOCOL_HTTP1;
}

static int count(const cly_cork *cork, bool (*is_counted)(const cly_connection *known)) {
    int sum = 0;
    for (int i = 0; i < cork->connections->used; i++) sum += is_counted(&cork->connections->list[i]);
    return sum;
}

static void set(cly_connection *known, int is_corked) {
    known->is_corked = is_corked;
#ifdef TCP_CORK
    setsockopt(known->descriptor, IPPROTO_TCP, TCP_CORK, &is_corked, sizeof is_corked);
#endif
}

void cly_cork_hold(cly_cork *cork, int requests) {
    int sockets = count(cork, takes_requests);
    bool is_needed = cork->loses_early_replies && requests > 0 && count(cork, is_http2) > 0;
    if (!is_needed && (sockets > CLY_CORK_SOCKETS || requests < WORTH_IT * sockets)) return;
    for (int i = 0; i < cork->connections->used; i++)
        if (takes_requests(&cork->connections->list[i])) set(&cork->connections->list[i], 1);
}

void cly_cork_release(cly_cork *cork) {
    for (int i = 0; i < cork->connections->used; i++) {
        cly_connection *known = &cork->connections->list[i];
        if (known->descriptor >= 0 && known->is_corked) set(known, 0);
    }
}
