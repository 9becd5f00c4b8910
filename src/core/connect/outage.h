/*
 * outage.h - while the API cannot be reached, one attempt at a time finds out.
 *
 *   wait = cly_outage_wait(&outage, now);
 *   if (wait > 0) ...keep the calls, within their own time...
 *   else cly_outage_started(&outage, now), and at the attempt's end one of
 *        cly_outage_failed, cly_outage_lost, cly_outage_reached, cly_outage_unclear
 *
 * An outage begins when no connection can be made, or when a few attempts in a row
 * end as those of a balancer whose servers are gone: by a reply of 502, 503 or 504, or
 * with their connection and without any reply. It ends with the
 * first connection or reply that shows the contrary. Probes are half a second apart
 * at the most, so that all calls go on soon after the API is back; a probe that hangs,
 * as when packets are lost, is followed by another after a second.
 *
 * Plain value, all zero is none. Time is seconds on any monotonic clock.
 */
#ifndef CLY_CORE_CONNECT_OUTAGE_H
#define CLY_CORE_CONNECT_OUTAGE_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

typedef enum cly_outage_sign {
    CLY_SIGN_UNREACHED, /* no connection could be made */
    CLY_SIGN_BAD_REPLY  /* 502, 503, 504, or a connection that refuses every request */
} cly_outage_sign;

typedef struct cly_outage {
    bool is_on, is_probed; /* a probe is under way */
    bool needs_reply;      /* a connection alone does not end it */
    bool was_reached;      /* once at least: a wrong address is no outage */
    int bad_replies;       /* in a row */
    int losses;            /* in a row, of connections without a reply */
    double lost_at;        /* the last of those */
    int probes;            /* that failed, since it began */
    double probe_at;       /* when the next may start */
    double probed_at;      /* when the last did */
    double reached_at;     /* what began earlier says nothing of it any more */
} cly_outage;

/* Seconds until an attempt may start: 0 for now. */
double cly_outage_wait(const cly_outage *outage, double now);

/* An attempt starts; true when it is a probe, whose end must be told. */
bool cly_outage_started(cly_outage *outage, double now);

/* The attempt, begun at `began_at`, failed so; `chance` from 0 (included) to 1 (excluded) spreads the
 * probes of many clients. */
void cly_outage_failed(cly_outage *outage, cly_outage_sign sign, double began_at, bool is_probe,
                       double chance, double now);

/* The attempt's connection was lost without a reply. Those that were begun before the last
 * such one was noticed may have been on the same connection, and say nothing more. */
void cly_outage_lost(cly_outage *outage, double began_at, bool is_probe, double chance, double now);

/* A connection was made, and with `has_replied` a good reply came on it. */
void cly_outage_reached(cly_outage *outage, bool has_replied, double now);

/* The probe ended without telling anything, as when it was canceled. */
void cly_outage_unclear(cly_outage *outage);

CLY_PRIVATE_END

#endif
