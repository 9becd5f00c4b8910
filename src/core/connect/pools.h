/*
 * pools.h - chooses the connections on which attempts run, and retires them.
 *
 * libcurl keeps connections in a pool and picks one itself; the caller cannot choose. So each
 * generation of connections has a pool of its own: a share object that holds nothing else. An attempt
 * names its pool. A retired pool finishes its attempts, takes no new ones, and is then freed with its
 * connections. io owns the shares and the connections. This module opens and closes shares through the
 * hooks below, and io reports to it what happens to attempts.
 *
 * A pool is retired when its connection has carried its maximum number of requests (a server then
 * closes it, and it is unclear whether the server read later requests), when the connection refused a
 * request, was idle for too long, is too old (the name may resolve to another address), was silent
 * while a request on it timed out, failed in a write, or speaks another protocol than the one before.
 * An HTTP/1.1 connection with received bytes that belong to no request is closed on its own, without
 * its pool.
 *
 * libcurl is given only attempts that it can start at once: with HTTP/1.1 one per connection; with
 * HTTP/2 no more than the streams of the established connections, plus one at a time that may open
 * another connection, or one per second while that one hangs. Both limits, of streams and of requests,
 * are learned.
 */
#ifndef CLY_CORE_CONNECT_POOLS_H
#define CLY_CORE_CONNECT_POOLS_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

typedef enum cly_protocol { CLY_PROTOCOL_UNKNOWN, CLY_PROTOCOL_HTTP1, CLY_PROTOCOL_HTTP2 } cly_protocol;

/* The use of one connection. Functions accept NULL for a connection that is unknown or gone. */
typedef struct cly_connection_use {
    unsigned serial; /* unique per connection */
    int requests;    /* issued on it */
    int under_way;   /* of those, unfinished; counted by io, which issues them */
    double known_at; /* HTTP/2: from when on libcurl knows its stream limit */
    cly_protocol protocol;
} cly_connection_use;

typedef struct cly_pool {
    struct cly_pool *next;
    void *share;           /* owned by io */
    int named;             /* easy handles that use the share */
    int users;             /* attempts on the pool */
    int unissued;          /* of those: libcurl has not started sending their request */
    int opening;           /* attempts for which libcurl is opening a connection */
    int standing;          /* HTTP/2 connections that accept streams */
    int most_requests;     /* maximum on one of its connections */
    int refused;           /* requests that libcurl tried to issue again */
    int least_limit;       /* the request limit learned from refusals is at least this */
    double opened_at;      /* time of its first request; 0 before */
    unsigned newest;       /* serial of the newest connection that carried a request */
    double ready_at;       /* HTTP/2: by when the server's SETTINGS must have arrived */
    double known_at;       /* known_at of that connection */
    double idle_since;     /* when its last attempt ended; 0 before */
    double failed_at;      /* when an attempt on it ended without any connection */
    double tried_at;       /* when an attempt was last assigned to it */
    double handshake;      /* seconds that opening its newest connection took */
    double doubted_until;  /* until then one attempt tests whether its connections still work */
    cly_protocol protocol; /* of its first connection; if HTTP/1.1, its attempts offer only that */
    bool is_mixed;         /* its connections speak different protocols */
    bool is_retired, is_full;
} cly_pool;

/* Functions that io provides. */
typedef struct cly_pools_hooks {
    void *(*open_share)(void);                          /* NULL if out of memory */
    void (*close_share)(void *context, cly_pool *pool); /* and its connections */
    int (*alive)(void *context, const cly_pool *pool);  /* connections the peer has not closed */
    void *context;
} cly_pools_hooks;

typedef struct cly_pools_options {
    int max_connections;
    double max_age; /* seconds */
    bool http2;     /* offer it in the TLS handshake */
    cly_pools_hooks hooks;
} cly_pools_options;

typedef struct cly_pools {
    cly_pools_options options;
    cly_pool *current;
    cly_pool *successor; /* tried by one request while attempts continue on current */
    cly_pool *retired;   /* linked list */
    int running;         /* attempts running on all pools */
    int stream_limit;    /* for HTTP/2 connections whose limit is known; raised periodically */
    int learnt_limit;    /* for other connections: as many as a server has accepted */
    bool is_limit_known; /* a connection has received the server's SETTINGS */
    double raised_at;
    double hold_until; /* libcurl queued an attempt: start no other before then */
    int request_limit; /* for HTTP/2 connections */
    bool is_confirmed; /* a server closed a connection after exactly that many requests */
    double confirmed_at;
    double refused_at; /* when a server last refused a request */
    int most_taken;    /* accepted on one connection, maximum over pools freed since a pool had refusals */
} cly_pools;

void cly_pools_init(cly_pools *pools, const cly_pools_options *options);

/* Frees all shares and their connections. No handle may be running or use a share any more. */
void cly_pools_clear(cly_pools *pools);

/* Returns the pool on which an attempt can start now, or NULL. `*wait` then receives the seconds after
 * which to ask again, or HUGE_VAL if an attempt must end first. */
cly_pool *cly_pools_choose(cly_pools *pools, double now, double *wait);

/* A lower bound of the number of attempts that could start now. */
int cly_pools_room(const cly_pools *pools);

/* The number of attempts that wait for a connection to open. */
int cly_pools_opening(const cly_pools *pools);

/* ---- events of an attempt, in this order ---- */

void cly_pools_started(cly_pools *pools, cly_pool *pool);

/* libcurl is about to open a connection for the attempt. If the attempt should have found a stream on
 * an established connection, the learned stream limit is lowered. Returns false when max_connections
 * are open: libcurl enforces no limit on connections in a share. Call cly_pools_opened when that
 * connection carries its request or never will. */
bool cly_pools_may_open(cly_pools *pools, cly_pool *pool);
void cly_pools_opened(cly_pool *pool);

/* The request of the attempt is being issued on this connection, `taken` seconds after its start. */
void cly_pools_issued(cly_pools *pools, cly_pool *pool, cly_connection_use *connection, cly_protocol protocol,
                      double taken, double now);

/* Whether libcurl may issue one more request on this connection. Before a connection's SETTINGS arrive,
 * libcurl issues more than the server accepts, and some versions issue more than one on an HTTP/1.1
 * connection. */
bool cly_pools_has_stream(const cly_pools *pools, const cly_pool *pool, const cly_connection_use *connection,
                          double now);

/* The first bytes of the reply arrived. */
void cly_pools_replied(cly_pools *pools, cly_pool *pool, cly_connection_use *connection,
                       cly_protocol protocol, double now);

/* libcurl wants to issue the request again: the server did not process it on this connection, which
 * accepts no more. Returns whether the server accepted any other request there. */
bool cly_pools_refused(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection, double now);

/* The server closed the connection without a reply to the request. It may close connections after a
 * number of requests without announcing that. */
void cly_pools_hung_up(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection, double now);

/* libcurl queued the request because no connection or stream was free: the learned stream limit is too
 * high. */
void cly_pools_parked(cly_pools *pools, cly_pool *pool, double now);

/* The connection accepts nothing at present: no attempt is started for a moment. */
void cly_pools_hold(cly_pools *pools, double now);

/* The request was issued and timed out, `elapsed` seconds after the attempt's start. The peer has sent
 * nothing for `silent` seconds. */
void cly_pools_timed_out(cly_pools *pools, cly_pool *pool, double silent, double elapsed, double now);

void cly_pools_ended(cly_pools *pools, cly_pool *pool, bool is_issued, double now);

/* A connection was closed. `pool` is NULL if the pool is gone. */
void cly_pools_closed(cly_pool *pool, const cly_connection_use *connection);

/* Retires a pool: it accepts no new attempts. */
void cly_pools_retire(cly_pools *pools, cly_pool *pool, double now);

/* ---- freeing; io counts `named` when it sets CURLOPT_SHARE ---- */

/* Returns a retired pool that can be freed, or NULL; `*wait` is as for cly_pools_choose. No easy handle
 * may use its share when cly_pools_drop is called. */
cly_pool *cly_pools_drained(cly_pools *pools, double now, double *wait);
void cly_pools_drop(cly_pools *pools, cly_pool *pool);

CLY_PRIVATE_END

#endif
