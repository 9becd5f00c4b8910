/*
 * cork.h - what is written in one round to one connection leaves together.
 *
 * On HTTP/2 libcurl writes the head and the body of each request by themselves, and
 * so many packets cost both ends more than what is in them. While the kernel holds
 * them back, which a full packet ends anyway, they leave as few.
 */
#ifndef CLY_IO_CORK_H
#define CLY_IO_CORK_H

#include "io/sockets.h"

CLY_PRIVATE_BEGIN

/* Where there are more open, it is HTTP/1.1, and each takes one write. */
enum { CLY_CORK_SOCKETS = 4 };

typedef struct cly_cork {
    const cly_sockets *sockets; /* borrowed */
    bool is_held;
} cly_cork;

/* Before and after libcurl writes `requests` of them; does nothing when it would
 * not pay. */
void cly_cork_hold(cly_cork *cork, int requests);
void cly_cork_release(cly_cork *cork);

CLY_PRIVATE_END

#endif
