#define _GNU_SOURCE /* TCP_CORK, where there is one */
#include "io/cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { WORTH_IT = 4 /* requests a socket: to hold and to release are two system calls */ };

static void set_all(cly_cork *cork, int is_held) {
    cork->is_held = is_held;
#ifdef TCP_CORK
    for (int i = 0; i < cork->sockets->known; i++)
        setsockopt(cork->sockets->list[i].descriptor, IPPROTO_TCP, TCP_CORK, &is_held, sizeof is_held);
#endif
}

void cly_cork_hold(cly_cork *cork, int requests) {
    int open = cork->sockets->open;
    if (open <= CLY_CORK_SOCKETS && requests >= WORTH_IT * open) set_all(cork, 1);
}

void cly_cork_release(cly_cork *cork) {
    if (cork->is_held) set_all(cork, 0);
}
