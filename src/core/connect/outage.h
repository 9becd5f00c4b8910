/*
 * outage.h - while the API is unreachable, one attempt at a time probes it.
 *
 *   wait = cly_outage_wait(&outage, now);
 *   if (wait > 0) ...keep the calls waiting, within their own time...
 *   else cly_outage_started(&outage, now), and at the attempt's end one of
 *        cly_outage_failed, cly_outage_lost, cly_outage_reached, cly_outage_unclear
 *
 * An outage begins when no connection can be opened, or when a few attempts in a row end as behind a
 * load balancer without servers: with 502, 503 or 504, or with a lost connection and no reply. It ends
 * with the first connection or reply that disproves it. Probes start at most half a second apart, so
 * that all calls resume soon after the API is back. A probe that hangs, for example because packets are
 * lost, is followed by another after a second.
 *
 * A plain value; all zero means no outage. Time is seconds on any monotonic clock.
 */
#ifndef CLY_CORE_CONNECT_OUTAGE_H
#define CLY_CORE_CONNECT_OUTAGE_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

typedef enum cly_outage_sign {
    CLY_SIGN_UNREACHED, /* no connection could be opened */
    CLY_SIGN_BAD_REPLY  /* 502, 503, 504, or a connection on which the server refused every request */
} cly_outage_sign;

typedef struct cly_outage {
    bool is_on, is_probed; /* a probe is under way */
    bool needs_reply;      /* only a reply ends it, not a connection */
    bool was_reached;      /* at least once: a wrong address is not an outage */
    int bad_replies;       /* in a row */
    int losses;            /* in a row: connections lost without a reply */
    double lost_at;        /* time of the last of those */
    int probes;            /* failed probes since the outage began */
    double probe_at;       /* when the next probe may start */
    double probed_at;      /* when the last probe started */
    double reached_at;     /* failures of attempts that began before are ignored */
} cly_outage;

/* Seconds until an attempt may start; 0 for now. */
double cly_outage_wait(const cly_outage *outage, double now);

/* An attempt starts. Returns true if it is a probe; its end must then be reported. */
bool cly_outage_started(cly_outage *outage, double now);

/* The attempt that began at `began_at` failed with this sign. `chance`, from 0 (included) to 1
 * (excluded), spreads the probes of many clients. */
void cly_outage_failed(cly_outage *outage, cly_outage_sign sign, double began_at, bool is_probe,
                       double chance, double now);

/* The attempt's connection was lost without a reply. An attempt that began before the previous loss was
 * noticed may have used the same connection, so it is ignored. */
void cly_outage_lost(cly_outage *outage, double began_at, bool is_probe, double chance, double now);

/* A connection was opened; with `has_replied`, a good reply came on it. */
void cly_outage_reached(cly_outage *outage, bool has_replied, double now);

/* The probe ended without a result, for example because it was canceled. */
void cly_outage_unclear(cly_outage *outage);

CLY_PRIVATE_END

#endif
