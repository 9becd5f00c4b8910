/*
 * pools.h - on which connections an attempt runs, and when they are retired.
 *
 * libcurl keeps connections in a pool and picks from it; it cannot be told which. So
 * each generation of connections has a pool of its own, a share object that holds
 * nothing else. An attempt names its pool. A retired pool finishes what it carries,
 * takes nothing new, and is freed with its connections. The shares and the connections
 * are io's; it opens and closes shares by the hooks below, and tells what attempts do.
 *
 * A pool is retired because its connection has carried its number of requests (a
 * server closes it then, and what it does not read is in doubt), refused one, rested
 * for too long, is too old (a name may have moved), was silent while a request on it
 * timed out, failed in a write, or speaks another protocol than the one before. A connection of HTTP/1.1 with
 * bytes on it that belong to no request is closed by itself.
 *
 * libcurl is given only attempts that it can start at once: over HTTP/1.1 one for each
 * connection, over HTTP/2 no more than the streams of the connections that stand, and
 * one at a time that may open another, or one a second while that hangs. Both limits,
 * of streams and of requests, are learnt.
 */
#ifndef CLY_CORE_CONNECT_POOLS_H
#define CLY_CORE_CONNECT_POOLS_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

typedef enum cly_protocol { CLY_PROTOCOL_UNKNOWN, CLY_PROTOCOL_HTTP1, CLY_PROTOCOL_HTTP2 } cly_protocol;

/* How a connection has been used. Functions that take one take NULL for a connection that
 * is not known or gone. */
typedef struct cly_connection_use {
    unsigned serial; /* no other connection has it */
    int requests;    /* issued on it */
    int under_way;   /* of those; counted by who issues them */
    double known_at; /* HTTP/2: libcurl knows its limit of streams from then on */
    cly_protocol protocol;
} cly_connection_use;

typedef struct cly_pool {
    struct cly_pool *next;
    void *share;           /* io's */
    int named;             /* easy handles that name the share */
    int users;             /* attempts on it */
    int unissued;          /* of those: libcurl has not begun to send their request */
    int opening;           /* attempts for which a connection is being made */
    int standing;          /* connections of HTTP/2 that take streams */
    int most_requests;     /* on one of its connections */
    int refused;           /* requests that libcurl wanted to issue again */
    int least_limit;       /* when some are refused: no fewer are learnt from it */
    double opened_at;      /* its first request; 0 before */
    unsigned newest;       /* the serial of its last connection that carried a request */
    double ready_at;       /* HTTP/2: when the server's settings must have come */
    double known_at;       /* of that connection */
    double idle_since;     /* its last user is gone; 0 while it has any */
    double failed_at;      /* no connection could be made for it */
    double tried_at;       /* an attempt was given to it */
    double handshake;      /* seconds that its last connection took */
    double doubted_until;  /* an attempt finds out whether its connections still work */
    cly_protocol protocol; /* of its first connection; its attempts offer no other than HTTP/1.1 */
    bool is_mixed;         /* another of its connections speaks another protocol */
    bool is_retired, is_full;
} cly_pool;

/* Work that io does for the pools. */
typedef struct cly_pools_hooks {
    void *(*open_share)(void);                          /* NULL without memory */
    void (*close_share)(void *context, cly_pool *pool); /* with its connections */
    int (*alive)(void *context, const cly_pool *pool);  /* connections that the peer has not ended */
    void *context;
} cly_pools_hooks;

typedef struct cly_pools_options {
    int max_connections;
    double max_age; /* seconds */
    bool http2;     /* is offered in TLS */
    cly_pools_hooks hooks;
} cly_pools_options;

typedef struct cly_pools {
    cly_pools_options options;
    cly_pool *current;
    cly_pool *successor; /* its first request finds out whether it works, while current goes on */
    cly_pool *retired;   /* a list */
    int running;         /* attempts on all pools */
    int stream_limit;    /* of a connection of HTTP/2 that is known, raised from time to time */
    int learnt_limit;    /* of any other: so many a server has taken */
    bool is_limit_known; /* a connection's settings have come */
    double raised_at;
    double hold_until; /* libcurl kept an attempt: no other is given to it before */
    int request_limit; /* of a connection of HTTP/2 */
    bool is_confirmed; /* a server closed a connection that had carried just so many */
    double confirmed_at;
    double refused_at; /* the last request that a server did not take */
    int most_taken;    /* on one connection, by the pools freed since a pool was refused some */
} cly_pools;

void cly_pools_init(cly_pools *pools, const cly_pools_options *options);

/* Frees all shares, and with them all connections. No handle may run, and before that
 * none may name a share. */
void cly_pools_clear(cly_pools *pools);

/* The pool on which an attempt can start at once, or NULL; `*wait` is then the seconds
 * after which to ask again, or HUGE_VAL when an attempt must end first. */
cly_pool *cly_pools_choose(cly_pools *pools, double now, double *wait);

/* How many attempts could start at once, at the least. */
int cly_pools_room(const cly_pools *pools);

/* How many attempts wait for a connection to be made. */
int cly_pools_opening(const cly_pools *pools);

/* ---- what an attempt tells, in this order ---- */

void cly_pools_started(cly_pools *pools, cly_pool *pool);

/* libcurl is about to open a connection for it. If it should have found a stream on one
 * that stands, there are fewer than was thought. False when max_connections are open:
 * for connections in a share libcurl keeps no limit. cly_pools_opened is to follow, when
 * that connection carries its request or never will. */
bool cly_pools_may_open(cly_pools *pools, cly_pool *pool);
void cly_pools_opened(cly_pool *pool);

/* Its request is being issued on this connection, after `taken` seconds. */
void cly_pools_issued(cly_pools *pools, cly_pool *pool, cly_connection_use *connection, cly_protocol protocol,
                      double taken, double now);

/* Whether libcurl may issue one more request on this connection: before the settings of a
 * connection have come, it gives it more than its server takes, and some versions give more
 * than one to a connection of HTTP/1.1. */
bool cly_pools_has_stream(const cly_pools *pools, const cly_pool *pool, const cly_connection_use *connection,
                          double now);

/* The first bytes of its reply came. */
void cly_pools_replied(cly_pools *pools, cly_pool *pool, cly_connection_use *connection,
                       cly_protocol protocol, double now);

/* libcurl wanted to issue it again: the server did not take it on the connection, which
 * takes nothing more. Returns whether it took any other there. */
bool cly_pools_refused(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection, double now);

/* It got no reply, for the server ended its connection: it may be one that takes so many
 * requests and does not say so. */
void cly_pools_hung_up(cly_pools *pools, cly_pool *pool, const cly_connection_use *connection, double now);

/* libcurl kept it for want of a connection or a stream: there is room for fewer. */
void cly_pools_parked(cly_pools *pools, cly_pool *pool, double now);

/* Its connection takes nothing at present: no attempt is started for a moment. */
void cly_pools_hold(cly_pools *pools, double now);

/* It was issued and its time is up, `elapsed` seconds after its start. The peer has said
 * nothing for `silent` seconds. */
void cly_pools_timed_out(cly_pools *pools, cly_pool *pool, double silent, double elapsed, double now);

void cly_pools_ended(cly_pools *pools, cly_pool *pool, bool is_issued, double now);

/* A connection was closed; its pool, or NULL when that is gone. */
void cly_pools_closed(cly_pool *pool, const cly_connection_use *connection);

/* Takes nothing new any more. */
void cly_pools_retire(cly_pools *pools, cly_pool *pool, double now);

/* ---- freeing; `named` is counted by who sets CURLOPT_SHARE ---- */

/* A retired pool that has had its time: no easy handle may name it any more before
 * cly_pools_drop. NULL when there is none; `*wait` is as above. */
cly_pool *cly_pools_drained(cly_pools *pools, double now, double *wait);
void cly_pools_drop(cly_pools *pools, cly_pool *pool);

CLY_PRIVATE_END

#endif
