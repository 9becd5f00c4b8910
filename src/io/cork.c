#define _GNU_SOURCE /* TCP_CORK, where there is one */
#include "io/cork.h"

#include "io/libcurl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { WORTH_IT = 4 /* requests a socket: to hold and to release are two system calls */ };

void cly_cork_init(cly_cork *cork, cly_connections *connections) {
    cork->connections = connections;
    cork->loses_early_replies = cly_libcurl_running_faults().loses_early_replies;
    cork->is_held = false;
}

/* Those that have been retired may stay open for a while. */
static bool takes_requests(const cly_connection *known) {
    const cly_pool *pool = known->pool;
    return known->descriptor >= 0 && pool && (!pool->is_retired || pool->unissued > 0);
}

static int count_sockets(const cly_cork *cork) {
    int count = 0;
    for (int i = 0; i < cork->connections->used; i++) count += takes_requests(&cork->connections->list[i]);
    return count;
}

static void set(cly_connection *known, int is_corked) {
    known->is_corked = is_corked;
#ifdef TCP_CORK
    setsockopt(known->descriptor, IPPROTO_TCP, TCP_CORK, &is_corked, sizeof is_corked);
#endif
}

void cly_cork_hold(cly_cork *cork, int requests, bool is_http2) {
    int sockets = count_sockets(cork);
    bool is_needed = is_http2 && cork->loses_early_replies && requests > 0;
    if (sockets > CLY_CORK_SOCKETS || (!is_needed && requests < WORTH_IT * sockets)) return;
    cork->is_held = true;
    for (int i = 0; i < cork->connections->used; i++)
        if (takes_requests(&cork->connections->list[i])) set(&cork->connections->list[i], 1);
}

void cly_cork_release(cly_cork *cork) {
    if (!cork->is_held) return;
    cork->is_held = false;
    for (int i = 0; i < cork->connections->used; i++) {
        cly_connection *known = &cork->connections->list[i];
        if (known->descriptor >= 0 && known->is_corked) set(known, 0);
    }
}
