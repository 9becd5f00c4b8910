/*
 * hangs.h - connections that take too long to open.
 *
 * While packets are lost the system repeats its own ever more seldom: after 1, 3 and 7
 * seconds. Of several attempts whose connections hang one a second is therefore restarted
 * to find out whether packets get through again; never the oldest, which a network that is
 * only slow may be about to serve, and none that has used a fifth of its time. When an
 * attempt that began later has got its connection, all that hang are restarted. No clock: the caller tells
 * the time, in seconds on any monotonic clock.
 */
#ifndef CLY_CORE_CONNECT_HANGS_H
#define CLY_CORE_CONNECT_HANGS_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* All zero at first. */
typedef struct cly_hangs {
    double taken;        /* seconds that the last connection took; 0 before there was one */
    double through_at;   /* when the latest attempt began that has got a connection */
    double restarted_at; /* when one was last restarted */
} cly_hangs;

/* An attempt that began at `began_at` has got a new connection. */
void cly_hangs_connected(cly_hangs *hangs, double began_at, double now);

/* When an attempt that began at `began_at` and has no connection is to be restarted, which it
 * must have at `deadline`; HUGE_VAL for never, as before any had one: how long that takes is
 * not known yet. */
double cly_hangs_restart_at(const cly_hangs *hangs, double began_at, double deadline, bool is_oldest);

void cly_hangs_restarted(cly_hangs *hangs, double now);

CLY_PRIVATE_END

#endif
