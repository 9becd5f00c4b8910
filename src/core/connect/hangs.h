/*
 * hangs.h - restarts attempts whose connections take too long to open.
 *
 * While packets are lost, the system retransmits ever more rarely: after 1, 3 and 7 seconds. So, of
 * several attempts whose connections hang, one per second is restarted to find out whether packets get
 * through again. The oldest is never restarted, because a network that is only slow may be about to
 * serve it, nor is an attempt that has used a fifth of its time. When an attempt that began later gets
 * a connection, all hanging attempts are restarted. This module reads no clock: the caller passes the
 * time, in seconds on any monotonic clock.
 */
#ifndef CLY_CORE_CONNECT_HANGS_H
#define CLY_CORE_CONNECT_HANGS_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* Initialize it with zeros. */
typedef struct cly_hangs {
    double taken;        /* seconds that the last connection took to open; 0 before the first */
    double through_at;   /* start of the latest attempt that got a connection */
    double restarted_at; /* time of the last restart */
} cly_hangs;

/* An attempt that began at `began_at` got a new connection. */
void cly_hangs_connected(cly_hangs *hangs, double began_at, double now);

/* Returns when to restart an attempt that began at `began_at`, has no connection and must have one by
 * `deadline`. Returns HUGE_VAL for never, for example before any attempt got a connection, when it is
 * not known how long that takes. */
double cly_hangs_restart_at(const cly_hangs *hangs, double began_at, double deadline, bool is_oldest);

void cly_hangs_restarted(cly_hangs *hangs, double now);

CLY_PRIVATE_END

#endif
