#include "core/connect/pools.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* nginx closes an HTTP/2 connection after 1000 requests by default. */
enum { STREAMS_FIRST = 100, REQUESTS_FIRST = 1000, REQUESTS_LEAST = 16 };

/* A successor is opened at most this many requests before the limit, so that it is established when
 * needed. */
enum { HEADROOM_MOST = 100 };

/* A server with a request limit closes the connection as soon as it has answered the last request. If
 * the connection stays open this long, the limit was wrong. */
static const double linger = 2;       /* seconds */
static const double certain_for = 60; /* then a confirmed limit is tested again */
static const double raise_every = 0.1, hold = 0.01;
static const double try_again = 0.5, hangs_after = 1;
static const double without_memory = 0.05; /* wait before a retry */
static const double unused_most = 40;      /* less than CURLOPT_MAXAGE_CONN in io/curl */
/* How long to wait for the server's SETTINGS unless a reply shows that they arrived: settings_least, or
 * as long as the handshake took if that is more; with a server of few streams a multiple of that. */
static const double settings_least = 0.02, settings_of_few = 0.1, certainty = 4;
/* A server may announce its limit with the first reply of a connection or slightly later. */
static const double settled_after = 0.5;

/* ---- creating and freeing ---- */

void cly_pools_init(cly_pools *pools, const cly_pools_options *options) {
    memset(pools, 0, sizeof *pools);
    pools->options = *options;
    pools->stream_limit = pools->learnt_limit = STREAMS_FIRST;
    pools->request_limit = REQUESTS_FIRST;
}

static cly_pool *make(const cly_pools *pools) {
    cly_pool *made = calloc(1, sizeof *made);
    if (made) made->share = pools->options.hooks.open_share();
    if (made == NULL || made->share == NULL) {
        free(made);
        return NULL;
    }
    made->protocol = pools->options.http2 ? CLY_PROTOCOL_UNKNOWN : CLY_PROTOCOL_HTTP1;
    return made;
}

static void free_pool(cly_pools *pools, cly_pool *pool) {
    if (pool == NULL) return;
    pools->options.hooks.close_share(pools->options.hooks.context, pool);
    free(pool);
}

void cly_pools_clear(cly_pools *pools) {
    free_pool(pools, pools->current);
    free_pool(pools, pools->successor);
    while (pools->retired) cly_pools_drop(pools, pools->retired);
    pools->current = pools->successor = NULL;
}

/* ---- retiring ---- */

void cly_pools_retire(cly_pools *pools, cly_pool *pool, double now) {
    if (pool->is_retired) return;
    if (pool == pools->successor) pools->successor = NULL;
    if (pool == pools->current) {
        pools->current = pools->successor;
        pools->successor = NULL;
    }
    pool->is_retired = true;
    pool->next = pools->retired;
    pools->retired = pool;
    if (pool->users == 0) pool->idle_since = now;
}

static void raise_request_limit(cly_pools *pools) {
    if (pools->request_limit > REQUESTS_FIRST / 2)
        pools->request_limit = REQUESTS_FIRST;
    else
        pools->request_limit *= 2;
}

/* The server has a request limit if it closed the connection as soon as it had answered the last
 * request. If it did not, the limit was learned from something else, such as a reload, and is raised
 * again. A reload may close this connection too; then requests are usually refused, and the close
 * proves nothing. */
static void review_limit(cly_pools *pools, const cly_pool *pool) {
    if (pools->options.hooks.alive(pools->options.hooks.context, pool) > 0) {
        raise_request_limit(pools);
    } else if (pool->refused == 0 && pools->refused_at <= pool->idle_since) {
        pools->is_confirmed = true;
        pools->confirmed_at = pool->idle_since;
    }
}

/* The confirmation may have been wrong, or the server's limit may have changed. */
static void forget_confirmation(cly_pools *pools, double now) {
    if (now - pools->confirmed_at > certain_for) pools->is_confirmed = false;
}

static void note_taken(cly_pools *pools, const cly_pool *pool) {
    int taken = pool->most_requests - pool->refused;
    if (taken > pools->most_taken) pools->most_taken = taken;
}

static bool may_be_learnt_from(const cly_pools *pools, const cly_pool *pool) {
    return pool->is_full && pools->request_limit < REQUESTS_FIRST && !pools->is_confirmed;
}

cly_pool *cly_pools_drained(cly_pools *pools, double now, double *wait) {
    *wait = HUGE_VAL;
    for (cly_pool *pool = pools->retired; pool; pool = pool->next) {
        double until = pool->idle_since + (may_be_learnt_from(pools, pool) ? linger : 0);
        if (pool->users > 0) continue;
        if (now >= until) return pool;
        *wait = fmin(*wait, until - now);
    }
    return NULL;
}

void cly_pools_drop(cly_pools *pools, cly_pool *pool) {
    cly_pool **place = &pools->retired;
    while (*place && *place != pool) place = &(*place)->next;
    if (*place) *place = pool->next;
    if (may_be_learnt_from(pools, pool)) review_limit(pools, pool);
    note_taken(pools, pool);
    free_pool(pools, pool);
}

/* ---- choosing ---- */

static bool is_http1(const cly_pool *pool) {
    return pool->protocol == CLY_PROTOCOL_HTTP1;
}

static bool is_old(const cly_pools *pools, const cly_pool *pool, double now) {
    return pool->opened_at > 0 && now - pool->opened_at >= pools->options.max_age;
}

/* Upper bound of the requests on one of its connections once the pending ones are issued. */
static int requests_soon(const cly_pool *pool) {
    return pool->most_requests + pool->unissued;
}

static bool is_full(const cly_pools *pools, const cly_pool *pool) {
    return !is_http1(pool) && requests_soon(pool) >= pools->request_limit;
}

static bool wants_successor(const cly_pools *pools, const cly_pool *pool, double now) {
    int headroom = pools->request_limit / 2;
    if (headroom > HEADROOM_MOST) headroom = HEADROOM_MOST;
    if (is_old(pools, pool, now)) return true;
    return !is_http1(pool) && requests_soon(pool) >= pools->request_limit - headroom;
}

/* True when its first request was issued and the server's SETTINGS have arrived or must have. Before
 * that, libcurl assumes the default stream limit. */
static bool is_standing(const cly_pools *pools, const cly_pool *pool, double now) {
    if (is_http1(pool)) return true;
    if (pool->standing == 0) return false;
    return (pools->is_limit_known && pools->learnt_limit == STREAMS_FIRST) || now >= pool->ready_at;
}

/* The server may have closed an idle connection. One attempt tests it: the connection works if a reply
 * arrives, or if no reset arrives within a handshake's time. */
static bool is_resting(const cly_pool *pool, double now) {
    return pool->users == 0 && pool->idle_since > 0 && now - pool->idle_since > 1;
}

static bool is_doubted(const cly_pool *pool, double now) {
    return is_resting(pool, now) || now < pool->doubted_until;
}

static int stream_limit_of(const cly_pools *pools, const cly_pool *pool, double now) {
    return now >= pool->known_at ? pools->stream_limit : pools->learnt_limit;
}

/* The number of attempts that would find a stream, or with HTTP/1.1 a connection. */
static int free_places(const cly_pools *pools, const cly_pool *pool, double now) {
    if (is_http1(pool)) return pools->options.max_connections - pools->running;
    if (!is_standing(pools, pool, now)) return 0;
    if (is_doubted(pool, now)) return pool->users == 0 ? 1 : 0;
    return pool->standing * stream_limit_of(pools, pool, now) - pool->users;
}

/* Seconds until a second attempt may start on a pool whose first attempt hangs, for example because
 * packets are lost. HUGE_VAL if none hangs; negative if one may start now. */
static double until_next_opening(const cly_pool *pool, double now) {
    bool hangs = !is_http1(pool) && pool->standing == 0 && pool->unissued > 0;
    return hangs ? pool->tried_at + hangs_after - now : HUGE_VAL;
}

/* One attempt at a time may open a connection, and none while another tests the pool. */
static bool may_open(const cly_pools *pools, const cly_pool *pool, double now) {
    if (until_next_opening(pool, now) <= 0) return true;
    if (is_http1(pool) || pool->unissued > 0) return false;
    if (pool->standing > 0 && (!is_standing(pools, pool, now) || is_doubted(pool, now))) return false;
    return pool->standing < pools->options.max_connections;
}

static void raise_stream_limit_to(cly_pools *pools, int limit) {
    pools->stream_limit = limit < STREAMS_FIRST ? limit : STREAMS_FIRST;
}

/* All streams are in use. The server may have raised its limit since it was learned. Where libcurl
 * knows the limit, it enforces it. */
static void raise_stream_limit(cly_pools *pools, const cly_pool *pool, double now) {
    if (pools->stream_limit >= STREAMS_FIRST || now < pools->raised_at + raise_every) return;
    if (now < pool->known_at) return;
    raise_stream_limit_to(pools, pools->stream_limit + 1 + pools->stream_limit / 4);
    pools->raised_at = now;
}

/* An unconfirmed learned limit is used up completely, to see what the server does. */
static bool may_take_over(const cly_pools *pools, double now) {
    bool is_certain = pools->is_confirmed || pools->request_limit == REQUESTS_FIRST;
    if (pools->successor == NULL || !is_standing(pools, pools->successor, now)) return false;
    return is_certain || is_full(pools, pools->current) || is_old(pools, pools->current, now);
}

/* The stream limit may have been learned from something else, such as a reload. */
static void take_over(cly_pools *pools, double now) {
    if (pools->current->refused == 0) raise_stream_limit_to(pools, pools->stream_limit * 2);
    pools->current->is_full = is_full(pools, pools->current);
    cly_pools_retire(pools, pools->current, now);
}

/* libcurl would close such a connection and then open one for each attempt. */
static bool is_unused(const cly_pool *pool, double now) {
    return !is_http1(pool) && pool->users == 0 && pool->idle_since > 0 &&
           now - pool->idle_since > unused_most;
}

static bool has_place(cly_pools *pools, const cly_pool *pool, double now) {
    if (is_full(pools, pool)) return false;
    if (free_places(pools, pool, now) > 0 || may_open(pools, pool, now)) return true;
    if (is_doubted(pool, now)) return false;
    raise_stream_limit(pools, pool, now);
    return free_places(pools, pool, now) > 0;
}

/* After a failed try of the successor, the current pool is used until try_again has passed. */
static bool is_to_be_tried(const cly_pool *pool, double now) {
    return pool && pool->users == 0 && pool->standing == 0 && now >= pool->failed_at + try_again;
}

/* Makes sure that there is a current pool and, if wanted, a successor. Returns false if out of memory. */
static bool renew(cly_pools *pools, double now) {
    forget_confirmation(pools, now);
    if (pools->current && is_unused(pools->current, now)) cly_pools_retire(pools, pools->current, now);
    if (pools->current && wants_successor(pools, pools->current, now)) {
        if (pools->successor == NULL) pools->successor = make(pools);
        if (may_take_over(pools, now)) take_over(pools, now);
    }
    if (pools->current == NULL) pools->current = make(pools);
    return pools->current != NULL;
}

static double until_next_try(const cly_pool *successor, double now) {
    bool has_failed = successor && successor->users == 0 && successor->standing == 0;
    return has_failed ? successor->failed_at + try_again - now : HUGE_VAL;
}

static double until_trusted(const cly_pool *pool, double now) {
    return pool->doubted_until > now ? pool->doubted_until - now : HUGE_VAL;
}

static cly_pool *choose_current(cly_pool *current, double now) {
    if (is_resting(current, now)) current->doubted_until = HUGE_VAL;
    current->tried_at = now;
    return current;
}

static double until_ready(const cly_pool *pool, double now) {
    return pool && pool->ready_at > now ? pool->ready_at - now : HUGE_VAL;
}

static double until_standing(const cly_pools *pools, double now) {
    return fmin(until_ready(pools->current, now), until_ready(pools->successor, now));
}

cly_pool *cly_pools_choose(cly_pools *pools, double now, double *wait) {
    double opening;
    *wait = pools->hold_until - now;
    if (*wait > 0) return NULL;
    *wait = without_memory;
    if (!renew(pools, now)) return NULL;
    if (is_to_be_tried(pools->successor, now)) return pools->successor;
    if (has_place(pools, pools->current, now)) return choose_current(pools->current, now);
    *wait = fmin(until_standing(pools, now), until_next_try(pools->successor, now));
    *wait = fmin(*wait, until_trusted(pools->current, now));
    opening = until_next_opening(pools->current, now);
    if (opening > 0) *wait = fmin(*wait, opening);
    return NULL;
}

int cly_pools_room(const cly_pools *pools) {
    int places;
    if (pools->current == NULL) return pools->options.http2 ? 1 : pools->options.max_connections;
    places = free_places(pools, pools->current, 0);
    return places > 0 ? places : 1;
}

int cly_pools_opening(const cly_pools *pools) {
    int current = pools->current ? pools->current->unissued : 0;
    return current + (pools->successor ? pools->successor->unissued : 0);
}

/* ---- events of an attempt ---- */

void cly_pools_started(cly_pools *pools, cly_pool *pool) {
    pools->running++;
    pool->users++;
    pool->unissued++;
}

/* The SETTINGS follow the server's end of the handshake at once, and the handshake took longer than
 * they can. */
static void note_first_request(cly_pools *pools, cly_pool *pool, double taken, double now) {
    bool has_few = pools->learnt_limit < STREAMS_FIRST;
    pool->standing++;
    pool->handshake = fmax(taken, settings_least);
    pool->ready_at = now + (has_few ? fmax(certainty * taken, settings_of_few) : pool->handshake);
}

/* The connection is unknown: treat it as the pool's only one. */
static void note_unknown(cly_pools *pools, cly_pool *pool, double taken, double now) {
    if (pool->standing == 0) note_first_request(pools, pool, taken, now);
    pool->most_requests++;
}

/* Where libcurl knows the server's limit it enforces it, so this many streams are within the limit. */
static void note_under_way(cly_pools *pools, const cly_connection_use *connection, double now) {
    bool is_more = connection->under_way > pools->learnt_limit;
    if (is_more && now >= connection->known_at) pools->learnt_limit = connection->under_way;
}

/* A name may resolve to two servers, of which only one speaks HTTP/2. libcurl 7.88 to 8.2 then writes
 * several requests at once on an HTTP/1.1 connection and mixes up their replies. */
static void note_protocol(cly_pools *pools, cly_pool *pool, cly_connection_use *connection,
                          cly_protocol protocol, double now) {
    if (protocol == CLY_PROTOCOL_UNKNOWN) return;
    if (connection) connection->protocol = protocol;
    if (pool->protocol == CLY_PROTOCOL_UNKNOWN) pool->protocol = protocol;
    if (pool->protocol == protocol) return;
    pool->is_mixed = true;
    cly_pools_retire(pools, pool, now);
}

/* True if the connection may carry only one request at a time. In a pool of HTTP/1.1 only, libcurl
 * enforces that. */
static bool takes_one(const cly_pool *pool, const cly_connection_use *connection) {
    if (connection->protocol == CLY_PROTOCOL_HTTP2) return false;
    return pool->is_mixed || pool->protocol == CLY_PROTOCOL_HTTP2;
}

static bool speaks_http1(const cly_pool *pool, const cly_connection_use *connection) {
    bool is_known = connection && connection->protocol != CLY_PROTOCOL_UNKNOWN;
    return is_known ? connection->protocol == CLY_PROTOCOL_HTTP1 : is_http1(pool);
}

void cly_pools_issued(cly_pools *pools, cly_pool *pool, cly_connection_use *connection, cly_protocol protocol,
                      double taken, double now) {
    pool->unissued--;
    if (pool->opened_at <= 0) pool->opened_at = now;
    if (pool->doubted_until > now) pool->doubted_until = now + pool->handshake;
    note_protocol(pools, pool, connection, protocol, now);
    if (connection == NULL) {
        note_unknown(pools, pool, taken, now);
        return;
    }
    if (connection->requests++ == 0) {
        note_first_request(pools, pool, taken, now);
        pool->newest = connection->serial;
        pool->known_at = connection->known_at = HUGE_VAL;
    }
    note_under_way(pools, connection, now);
    if (connection->requests > pool->most_requests) pool->most_requests = connection->requests;
}

bool cly_pools_has_stream(const cly_pools *pools, const cly_pool *pool, const cly_connection_use *connection,
                          double now) {
    if (connection == NULL) return true;
    if (takes_one(pool, connection)) return connection->under_way == 0;
    if (is_http1(pool) || pools->learnt_limit == STREAMS_FIRST) return true;
    return now >= connection->known_at || connection->under_way < pools->learnt_limit;
}

static void note_settings(cly_pool *pool, cly_connection_use *connection, double now) {
    if (connection->known_at >= HUGE_VAL) connection->known_at = now + settled_after;
    if (connection->serial != pool->newest) return;
    pool->ready_at = 0;
    pool->known_at = connection->known_at;
}

void cly_pools_replied(cly_pools *pools, cly_pool *pool, cly_connection_use *connection,
                       cly_protocol protocol, double now) {
    note_protocol(pools, pool, connection, protocol, now);
    pool->doubted_until = 0;
    if (connection) note_settings(pool, connection, now);
    if (protocol == CLY_PROTOCOL_HTTP2) pools->is_limit_known = true;
}

static void set_stream_limit(cly_pools *pools, int learnt) {
    pools->stream_limit = pools->learnt_limit = learnt > 1 ? learnt : 1;
}

/* Requests beyond a server's limit are refused all together: each refusal lowers the estimate by one
 * from the number issued. A small number is not a limit, but a reload, or an idle connection that was
 * closed while it was used again. */
static void learn_request_limit(cly_pools *pools, int taken) {
    if (taken < REQUESTS_LEAST || taken >= pools->request_limit) return;
    pools->request_limit = taken;
    pools->is_confirmed = false;
}

/* A new connection on which several requests were refused at once while others are under way: those are
 * as many streams as it accepts. A refused request is no longer counted in under_way when this is
 * called. */
static void learn_from_refused(cly_pools *pools, const cly_pool *pool, const cly_connection_use *connection,
                               int taken) {
    if (connection == NULL || taken >= REQUESTS_LEAST || pool->refused < 2) return;
    if (connection->under_way >= pools->stream_limit) return;
    set_stream_limit(pools, connection->under_way);
}

/* A server that accepted more requests on an earlier connection does not close connections after fewer,
 * unless its limit has changed; then it refuses requests on the next connection too. */
static void recall_most_taken(cly_pools *pools, cly_pool *pool) {
    pool->least_limit = pools->most_taken;
    pools->most_taken = 0;
}

/* Returns the number of requests that the server accepted on the connection. */
static int note_not_taken(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection,
                          double now) {
    int requests = connection ? connection->requests : pool->most_requests;
    int taken = requests - ++pool->refused;
    pools->refused_at = now;
    if (pool->refused == 1) recall_most_taken(pools, pool);
    if (!speaks_http1(pool, connection))
        learn_request_limit(pools, taken > pool->least_limit ? taken : pool->least_limit);
    return taken;
}

void cly_pools_hung_up(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection, double now) {
    if (speaks_http1(pool, connection)) return;
    (void)note_not_taken(pools, pool, connection, now);
    cly_pools_retire(pools, pool, now);
}

bool cly_pools_refused(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection, double now) {
    int taken = note_not_taken(pools, pool, connection, now);
    if (speaks_http1(pool, connection))
        return true; /* on HTTP/1.1, libcurl repeats only requests on a reused connection */
    learn_from_refused(pools, pool, connection, taken);
    cly_pools_retire(pools, pool, now);
    return taken > 0;
}

static void learn_stream_limit(cly_pools *pools, const cly_pool *pool) {
    int carried = pool->standing > 0 ? (pool->users - pool->unissued) / pool->standing : 1;
    set_stream_limit(pools, carried);
}

static void learn_from_opening(cly_pools *pools, const cly_pool *pool) {
    int issued = pool->users - pool->unissued;
    if (is_http1(pool) || pool->standing == 0 || !pools->is_limit_known) return;
    if (issued < pool->standing * pools->stream_limit) learn_stream_limit(pools, pool);
}

bool cly_pools_may_open(cly_pools *pools, cly_pool *pool) {
    learn_from_opening(pools, pool);
    /* With HTTP/1.1 attempts are counted instead: libcurl may still be closing old connections. */
    if (!is_http1(pool) && pool->standing + pool->opening >= pools->options.max_connections) return false;
    pool->opening++;
    return true;
}

void cly_pools_opened(cly_pool *pool) {
    pool->opening--;
}

void cly_pools_hold(cly_pools *pools, double now) {
    pools->hold_until = now + hold;
}

void cly_pools_parked(cly_pools *pools, cly_pool *pool, double now) {
    learn_stream_limit(pools, pool);
    cly_pools_hold(pools, now);
}

/* A dead path is noticed by the first request that times out on it. All later attempts use a new
 * connection. */
void cly_pools_timed_out(cly_pools *pools, cly_pool *pool, double silent, double elapsed, double now) {
    if (silent >= fmin(1, elapsed / 2)) cly_pools_retire(pools, pool, now);
}

void cly_pools_ended(cly_pools *pools, cly_pool *pool, bool is_issued, double now) {
    pools->running--;
    pool->users--;
    if (!is_issued) pool->unissued--;
    if (!is_issued && pool->standing == 0) pool->failed_at = now;
    if (pool->users > 0) return;
    pool->idle_since = now;
    if (is_issued) pool->doubted_until = 0;
}

void cly_pools_closed(cly_pool *pool, const cly_connection_use *connection) {
    if (pool == NULL || connection->requests == 0) return;
    pool->standing--;
    if (connection->serial == pool->newest) pool->ready_at = pool->known_at = 0;
}
