#define _GNU_SOURCE /* TCP_CORK, where there is one */
#include "io/cork.h"

#include "io/libcurl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { WORTH_IT = 4 /* requests a socket: to hold and to release are two system calls */ };

void cly_cork_init(cly_cork *cork, const cly_connections *connections) {
    cork->connections = connections;
    cork->loses_early_replies = cly_libcurl_loses_early_replies();
    cork->is_held = false;
}

static void set_all(cly_cork *cork, int is_held) {
    cork->is_held = is_held;
#ifdef TCP_CORK
    for (int i = 0; i < cork->connections->used; i++) {
        curl_socket_t descriptor = cork->connections->list[i].descriptor;
        if (descriptor >= 0) setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &is_held, sizeof is_held);
    }
#endif
}

void cly_cork_hold(cly_cork *cork, int requests, bool is_http2) {
    int open = cork->connections->open;
    bool is_needed = is_http2 && cork->loses_early_replies && requests > 0;
    if (open > CLY_CORK_SOCKETS) return;
    if (is_needed || requests >= WORTH_IT * open) set_all(cork, 1);
}

void cly_cork_release(cly_cork *cork) {
    if (cork->is_held) set_all(cork, 0);
}
