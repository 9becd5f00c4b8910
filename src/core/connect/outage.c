#include "core/connect/outage.h"

#include <math.h>

/* This many in a row are an outage. A server that reloads also loses some connections. */
enum { BAD_REPLIES = 3, LOSSES = 5 };

static const double first_delay = 0.05, longest_delay = 0.5; /* seconds */
static const double patience = 1;                            /* after which a probe counts as hanging */

double cly_outage_wait(const cly_outage *outage, double now) {
    if (!outage->is_on) return 0;
    if (outage->is_probed) return fmax(0, outage->probed_at + patience - now);
    return fmax(0, outage->probe_at - now);
}

bool cly_outage_started(cly_outage *outage, double now) {
    outage->is_probed = outage->is_on;
    outage->probed_at = now;
    return outage->is_on;
}

static double next_delay(const cly_outage *outage, double chance) {
    double delay = first_delay;
    for (int i = 0; i < outage->probes && delay < longest_delay; i++) delay *= 2;
    return fmin(delay, longest_delay) * (0.5 + chance / 2);
}

void cly_outage_failed(cly_outage *outage, cly_outage_sign sign, double began_at, bool is_probe,
                       double chance, double now) {
    bool is_bad_reply = sign == CLY_SIGN_BAD_REPLY;
    if (!is_bad_reply && outage->was_reached && began_at <= outage->reached_at) return;
    if (is_bad_reply) outage->bad_replies++;
    if (outage->is_on && !is_probe) return; /* it started before the outage */
    if (!outage->is_on && is_bad_reply && outage->bad_replies < BAD_REPLIES) return;
    if (!outage->is_on) outage->probes = 0;
    outage->is_probed = false;
    outage->is_on = true;
    outage->needs_reply = is_bad_reply;
    outage->probe_at = now + next_delay(outage, chance);
    outage->probes++;
}

void cly_outage_lost(cly_outage *outage, double began_at, bool is_probe, double chance, double now) {
    if (began_at <= outage->lost_at && !is_probe) return;
    outage->lost_at = now;
    if (++outage->losses < LOSSES && !outage->is_on) return;
    outage->bad_replies = BAD_REPLIES;
    cly_outage_failed(outage, CLY_SIGN_BAD_REPLY, began_at, is_probe, chance, now);
}

void cly_outage_reached(cly_outage *outage, bool has_replied, double now) {
    outage->was_reached = true;
    outage->reached_at = now;
    if (has_replied) outage->bad_replies = outage->losses = 0;
    if (outage->needs_reply && !has_replied) return;
    outage->is_on = outage->is_probed = outage->needs_reply = false;
}

void cly_outage_unclear(cly_outage *outage) {
    outage->is_probed = false;
}
