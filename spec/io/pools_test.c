/* On which connections attempts run, without libcurl and without a network: the tests
 * open descriptors and tell what an engine would tell. */
#define _GNU_SOURCE
#include "io/pools.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 3, STREAMS = 100, REQUESTS = 1000 };

static const double max_age = 300, start = 1000;

static cly_pools *pools; /* on the heap, where ASan guards it */
static double now, wait;
static int ends[CLY_CONNECTIONS_MAX]; /* the peers' sides, by the index of the connection */

static void open_pools(int max_connections, bool http2) {
    const cly_pools_options options = {max_connections, max_age, http2};
    pools = malloc(sizeof *pools);
    assert_non_null(pools);
    cly_pools_init(pools, &options);
    now = start;
    for (int i = 0; i < CLY_CONNECTIONS_MAX; i++) ends[i] = -1;
}

static int begin(void **state) {
    (void)state;
    open_pools(CONNECTIONS, true);
    return 0;
}

static int begin_http1(void **state) {
    (void)state;
    open_pools(CONNECTIONS, false);
    return 0;
}

static int begin_with_one_connection(void **state) {
    (void)state;
    open_pools(1, true);
    return 0;
}

static int end(void **state) {
    (void)state;
    for (int i = 0; i < pools->connections.used; i++)
        if (pools->connections.list[i].descriptor >= 0)
            cly_connections_close(&pools->connections, pools->connections.list[i].descriptor);
    for (int i = 0; i < CLY_CONNECTIONS_MAX; i++)
        if (ends[i] >= 0) close(ends[i]);
    cly_pools_clear(pools);
    assert_int_equal(pools->connections.open, 0);
    free(pools);
    pools = NULL;
    return 0;
}

/* ---- what libcurl would do ---- */

/* A connection of this pool; its index. */
static int open_connection(cly_pool *pool) {
    int pair[2], index = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    cly_connections_opened(&pools->connections, pair[0], pool, &pool->standing, 30);
    while (pools->connections.list[index].descriptor != pair[0]) index++;
    if (ends[index] >= 0) close(ends[index]);
    ends[index] = pair[1];
    return index;
}

static int connection_of(const cly_pool *pool) {
    int index = 0;
    while (pools->connections.list[index].pool != pool) index++;
    return index;
}

static void close_connection(int index) {
    cly_connections_close(&pools->connections, pools->connections.list[index].descriptor);
}

/* The peer ends it; libcurl has not noticed yet. */
static void hang_up(int index) {
    close(ends[index]);
    ends[index] = -1;
}

static cly_pool *choose(void) {
    return cly_pools_choose(pools, now, &wait);
}

/* An attempt on the pool that is chosen. */
static cly_pool *start_one(void) {
    cly_pool *pool = choose();
    assert_non_null(pool);
    cly_pools_started(pools, pool);
    return pool;
}

static void issue(cly_pool *pool, int connection) {
    cly_pools_issued(pools, pool, connection, CLY_PROTOCOL_HTTP2, 0.001, now);
}

static void reply(cly_pool *pool, int connection) {
    cly_pools_replied(pools, pool, connection, CLY_PROTOCOL_HTTP2);
}

static void finish(cly_pool *pool) {
    cly_pools_ended(pools, pool, true, now);
}

static void give_up(cly_pool *pool) {
    cly_pools_ended(pools, pool, false, now);
}

/* The first attempt on the pool that is chosen, with its reply; the connection. */
static int stand_up(cly_pool **pool) {
    int connection;
    *pool = start_one();
    connection = open_connection(*pool);
    issue(*pool, connection);
    reply(*pool, connection);
    finish(*pool);
    return connection;
}

/* So many whole requests, one after another, all on this connection. */
static void carry(cly_pool *pool, int connection, int requests) {
    for (int i = 0; i < requests; i++) {
        assert_ptr_equal(start_one(), pool);
        issue(pool, connection);
        reply(pool, connection);
        finish(pool);
    }
}

static void start_and_issue(cly_pool *pool, int connection, int requests) {
    for (int i = 0; i < requests; i++) {
        assert_ptr_equal(start_one(), pool);
        issue(pool, connection);
    }
}

static int count_retired(void) {
    int count = 0;
    for (const cly_pool *pool = pools->retired; pool; pool = pool->next) count++;
    return count;
}

/* ---- places ---- */

/* Whether the server speaks HTTP/2, and how many streams it allows, is not known. */
static void the_first_attempt_goes_alone(void **state) {
    cly_pool *pool = start_one();
    int connection;
    (void)state;
    assert_null(choose());
    assert_true(wait == HUGE_VAL); /* until it has ended, or was issued */
    assert_int_equal(cly_pools_room(pools), 1);
    connection = open_connection(pool);
    issue(pool, connection);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.02); /* for the server's settings */
    now += wait;
    assert_ptr_equal(choose(), pool);
    assert_int_equal(cly_pools_room(pools), 1);
    reply(pool, connection);
    assert_int_equal(cly_pools_room(pools), STREAMS - 1);
}

static void a_slow_handshake_gives_the_settings_as_long(void **state) {
    cly_pool *pool = start_one();
    int connection = open_connection(pool);
    (void)state;
    cly_pools_issued(pools, pool, connection, CLY_PROTOCOL_HTTP2, 0.3, now);
    assert_null(choose());
    assert_true(fabs(wait - 0.3) < 1e-9);
    now += 0.29;
    assert_null(choose());
    reply(pool, connection); /* they came before it */
    assert_ptr_equal(choose(), pool);
}

static void a_first_attempt_that_fails_lets_the_next_go(void **state) {
    cly_pool *pool = start_one();
    (void)state;
    give_up(pool);
    assert_ptr_equal(start_one(), pool);
    assert_int_equal(pool->users, 1);
    assert_int_equal(pool->unissued, 1);
    assert_int_equal(pools->running, 1);
}

static void http1_has_one_place_for_each_connection(void **state) {
    cly_pool *pool;
    (void)state;
    assert_int_equal(cly_pools_room(pools), CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) pool = start_one();
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    finish(pool); /* in its place one may go, though none was issued */
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
}

/* A retired pool's attempts have connections of their own. */
static void http1_counts_the_connections_of_retired_pools(void **state) {
    cly_pool *old = start_one();
    (void)state;
    start_one();
    cly_pools_retire(pools, old, now);
    assert_true(start_one() != old);
    assert_null(choose());
}

static void a_server_may_turn_out_to_speak_http1(void **state) {
    cly_pool *pool = start_one();
    int connection = open_connection(pool);
    (void)state;
    cly_pools_issued(pools, pool, connection, CLY_PROTOCOL_HTTP1, 0.001, now);
    assert_int_equal(cly_pools_room(pools), CONNECTIONS - 1);
    for (int i = 1; i < CONNECTIONS; i++) assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    cly_pools_replied(pools, pool, connection, CLY_PROTOCOL_HTTP1);
    assert_true(pools->connections.list[connection].speaks_http1);
}

static void streams_are_used_up_and_then_one_opens_another(void **state) {
    cly_pool *pool;
    int first = stand_up(&pool), second;
    (void)state;
    start_and_issue(pool, first, STREAMS);
    assert_ptr_equal(start_one(), pool);
    assert_null(choose()); /* one at a time */
    second = open_connection(pool);
    issue(pool, second);
    now += 0.01;
    for (int i = 1; i < STREAMS; i++) assert_ptr_equal(start_one(), pool);
    assert_null(choose()); /* those may need the third connection */
}

static void no_more_than_max_connections_are_opened(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    start_and_issue(pool, connection, STREAMS);
    now += 1;
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    finish(pool);
    assert_ptr_equal(choose(), pool);
}

/* ---- the limit of streams ---- */

/* So many go on, and libcurl kept one more. */
static void learn_stream_limit(cly_pool *pool, int connection, int limit) {
    start_and_issue(pool, connection, limit);
    assert_ptr_equal(start_one(), pool);
    cly_pools_parked(pools, pool, now);
    give_up(pool);
}

static void a_kept_attempt_teaches_the_limit(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    learn_stream_limit(pool, connection, 10);
    assert_int_equal(pools->stream_limit, 10);
    assert_null(choose()); /* for a moment none is given to libcurl */
    assert_true(wait > 0 && wait <= 0.01);
    for (int i = 0; i < 5; i++) finish(pool);
    now += wait;
    start_and_issue(pool, connection, 5);
    pools->raised_at = now;
    assert_null(choose());
}

static void the_limit_is_raised_again_by_and_by(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool), before = 10;
    (void)state;
    learn_stream_limit(pool, connection, before);
    now += 0.2;
    for (int i = 0; pools->stream_limit < STREAMS; i++) {
        assert_true(i < 20);
        start_and_issue(pool, connection, 1); /* there was none, and it is raised */
        assert_true(pools->stream_limit > before);
        before = pools->stream_limit;
        start_and_issue(pool, connection, before - pool->users);
        if (before < STREAMS) assert_null(choose()); /* not twice in a moment */
        now += 0.11;
    }
    assert_null(choose());
    assert_int_equal(pools->stream_limit, STREAMS);
}

/* There should have been streams left on the one that stands. */
static void a_connection_that_was_not_needed_teaches_the_limit(void **state) {
    cly_pool *pool;
    int first = stand_up(&pool), second;
    (void)state;
    start_and_issue(pool, first, 10);
    assert_ptr_equal(start_one(), pool);
    assert_true(cly_pools_may_open(pools, pool));
    assert_int_equal(pools->stream_limit, 10);
    second = open_connection(pool);
    issue(pool, second);
    assert_null(choose()); /* its settings have not come: libcurl would give it too much */
    now += 0.09;
    assert_null(choose()); /* and where a server refuses what exceeds them, time is given */
    now += 0.02;
    pools->raised_at = now;
    start_and_issue(pool, second, 9);
    assert_int_equal(pool->users, 20);
}

static void a_connection_that_was_needed_teaches_nothing(void **state) {
    cly_pool *pool = start_one();
    int connection;
    (void)state;
    assert_true(cly_pools_may_open(pools, pool)); /* the first */
    assert_int_equal(pools->stream_limit, STREAMS);
    connection = open_connection(pool);
    issue(pool, connection);
    reply(pool, connection);
    start_and_issue(pool, connection, STREAMS - 1);
    assert_ptr_equal(start_one(), pool);
    assert_true(cly_pools_may_open(pools, pool)); /* all streams are taken */
    assert_int_equal(pools->stream_limit, STREAMS);
}

/* From 8.12 on libcurl has no limit for the connections of a share. */
static void libcurl_opens_no_more_than_max_connections(void **state) {
    cly_pool *pool = start_one();
    int most = pools->options.max_connections;
    (void)state;
    for (int i = 0; i < most; i++) assert_true(cly_pools_may_open(pools, pool));
    assert_false(cly_pools_may_open(pools, pool));
    cly_pools_opened(pool);
    assert_true(cly_pools_may_open(pools, pool));
}

static void connections_that_are_being_made_are_counted(void **state) {
    cly_pool *current, *successor;
    int connection;
    (void)state;
    assert_int_equal(cly_pools_opening(pools), 0);
    current = start_one();
    assert_int_equal(cly_pools_opening(pools), 1);
    connection = open_connection(current);
    issue(current, connection);
    reply(current, connection);
    finish(current);
    assert_int_equal(cly_pools_opening(pools), 0);
    carry(current, connection, REQUESTS - 100 - 1);
    successor = start_one();
    start_one();
    assert_int_equal(cly_pools_opening(pools), 2);
    give_up(successor);
    give_up(current);
    assert_int_equal(cly_pools_opening(pools), 0);
}

/* Its port was not found. */
static void a_connection_that_cannot_be_named_counts_too(void **state) {
    cly_pool *pool = start_one();
    (void)state;
    issue(pool, CLY_NO_CONNECTION);
    reply(pool, CLY_NO_CONNECTION);
    for (int i = 1; i < REQUESTS - 100; i++) {
        assert_ptr_equal(start_one(), pool);
        issue(pool, CLY_NO_CONNECTION);
        finish(pool);
    }
    assert_true(choose() != pool);
}

static void the_limit_is_one_at_least(void **state) {
    cly_pool *pool = start_one();
    (void)state;
    cly_pools_parked(pools, pool, now);
    give_up(pool);
    assert_int_equal(pools->stream_limit, 1);
    now += 1;
    assert_non_null(choose());
}

/* The server may have closed it, which only a request shows: that one is in doubt then,
 * and all others are not. */
static void one_attempt_finds_out_whether_a_rested_connection_works(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    now += 2;
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    issue(pool, connection);
    assert_null(choose());
    reply(pool, connection);
    assert_ptr_equal(choose(), pool);
}

/* A slow reply keeps the others no longer than a reset would take to come. */
static void others_wait_a_round_trip_for_it_and_no_longer(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    now += 2;
    assert_ptr_equal(start_one(), pool);
    issue(pool, connection);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.02);
    now += wait;
    start_and_issue(pool, connection, STREAMS - 1);
}

static void one_that_was_not_issued_leaves_the_question_open(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    now += 2;
    assert_ptr_equal(choose(), pool); /* the limiter kept it */
    now += 2;
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    give_up(pool);
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    issue(pool, connection);
    finish(pool);
    assert_ptr_equal(choose(), pool);
}

/* ---- the limit of requests ---- */

/* This many requests of the pool were not taken, after so many that were. */
static void refuse(cly_pool *pool, int connection, int taken, int refused) {
    start_and_issue(pool, connection, taken + refused - pools->connections.list[connection].requests);
    for (int i = 0; i < refused; i++) {
        assert_true(cly_pools_refused(pools, pool, cly_connections_at(&pools->connections, connection), now));
        finish(pool);
    }
    while (pool->users > 0) finish(pool);
}

static void refused_requests_teach_the_limit(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    refuse(pool, connection, 40, 10);
    assert_int_equal(pools->request_limit, 40);
    assert_false(pools->is_confirmed);
    assert_true(pool->is_retired);
    assert_null(pools->current);
    assert_true(choose() != pool);
}

static int limit_after(int taken) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    refuse(pool, connection, taken, 2);
    close_connection(connection);
    cly_pools_drop(pools, pool);
    return pools->request_limit;
}

/* As by a server that is reloaded; one with another limit now refuses some again. */
static void fewer_than_were_taken_before_are_believed_the_second_time(void **state) {
    (void)state;
    assert_int_equal(limit_after(80), 80);
    assert_int_equal(limit_after(30), 80);
    assert_int_equal(limit_after(35), 35);
}

/* A reload, or an idle connection that was closed as it was used again. */
static void so_few_requests_are_no_limit(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    refuse(pool, connection, 2, 3);
    assert_int_equal(pools->request_limit, REQUESTS);
    assert_true(pool->is_retired);
    connection = stand_up(&pool);
    refuse(pool, connection, 16, 1);
    assert_int_equal(pools->request_limit, 16);
}

static void a_lower_limit_is_to_be_confirmed_again(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    pools->request_limit = 80;
    pools->is_confirmed = true;
    refuse(pool, connection, 30, 1);
    assert_int_equal(pools->request_limit, 30);
    assert_false(pools->is_confirmed);
}

static void none_is_given_while_a_connection_takes_nothing(void **state) {
    cly_pool *pool;
    (void)state;
    stand_up(&pool);
    cly_pools_hold(pools, now);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.01);
    now += wait;
    assert_ptr_equal(choose(), pool);
}

static void a_connection_that_takes_none_is_told_apart(void **state) {
    cly_pool *pool = start_one();
    int connection = open_connection(pool);
    (void)state;
    issue(pool, connection);
    assert_false(cly_pools_refused(pools, pool, cly_connections_at(&pools->connections, connection), now));
    finish(pool);
    assert_true(pool->is_retired);
}

/* A connection of HTTP/1.1 that is closed says nothing of others. */
static void http1_has_no_limit_of_requests(void **state) {
    cly_pool *pool = start_one();
    int connection = open_connection(pool);
    (void)state;
    for (int i = 0; i < 50; i++) cly_pools_issued(pools, pool, connection, CLY_PROTOCOL_HTTP1, 0.001, now);
    pool->unissued = 0;
    assert_true(cly_pools_refused(pools, pool, cly_connections_at(&pools->connections, connection), now));
    assert_int_equal(pools->request_limit, REQUESTS);
    assert_false(pool->is_retired);
    finish(pool);
}

/* libcurl repeats over HTTP/1.1 only what it sent on a kept connection, so each has taken
 * a request before, however many were refused on others. */
static void http1_turns_nothing_away(void **state) {
    cly_pool *pool = NULL;
    (void)state;
    for (int i = 0; i < 5; i++) {
        int connection;
        pool = start_one();
        connection = open_connection(pool);
        for (int requests = 0; requests < 2; requests++)
            cly_pools_issued(pools, pool, connection, CLY_PROTOCOL_HTTP1, 0.001, now);
        pool->unissued = 0;
        close_connection(connection);
        assert_true(cly_pools_refused(pools, pool, NULL, now));
        finish(pool);
    }
}

/* ---- successors ---- */

static void before_the_limit_a_successor_is_opened(void **state) {
    cly_pool *current, *successor;
    int old = stand_up(&current), fresh;
    (void)state;
    carry(current, old, REQUESTS - 100 - 1);
    successor = start_one();
    assert_true(successor != current);
    assert_ptr_equal(pools->successor, successor);
    assert_ptr_equal(start_one(), current); /* goes on meanwhile */
    issue(current, old);
    fresh = open_connection(successor);
    issue(successor, fresh);
    assert_ptr_equal(choose(), successor); /* its limits are known: it stands */
    assert_ptr_equal(pools->current, successor);
    assert_null(pools->successor);
    assert_true(current->is_retired);
    assert_false(current->is_full);
    finish(successor);
    finish(current);
}

static void a_full_connection_takes_no_more(void **state) {
    cly_pool *current, *successor;
    int connection = stand_up(&current);
    (void)state;
    carry(current, connection, REQUESTS - 100 - 1);
    successor = start_one();
    carry(current, connection, 100);
    assert_int_equal(pools->connections.list[connection].requests, REQUESTS);
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    give_up(successor);
}

/* Requests that were given to libcurl and not issued yet count too. */
static void those_not_issued_yet_count(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    refuse(pool, connection, 40, 1);
    connection = stand_up(&pool);
    now += 1;
    carry(pool, connection, 19 - 1);
    assert_ptr_equal(start_one(), pool);
    assert_true(start_one() != pool); /* 20 are the headroom */
    for (int i = 0; i < 20; i++) assert_ptr_equal(start_one(), pool);
    assert_null(choose());
}

static void a_successor_that_fails_waits_for_its_next_turn(void **state) {
    cly_pool *current, *successor;
    int connection = stand_up(&current);
    (void)state;
    carry(current, connection, REQUESTS - 100 - 1);
    successor = start_one();
    give_up(successor);
    carry(current, connection, 1);
    now += 0.6;
    assert_ptr_equal(start_one(), successor);
}

/* Nothing else would make the engine ask again. */
static void a_full_pool_waits_for_its_successors_next_try(void **state) {
    cly_pool *current, *successor;
    int connection = stand_up(&current);
    (void)state;
    carry(current, connection, REQUESTS - 100 - 1);
    successor = start_one();
    carry(current, connection, 100);
    give_up(successor);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.5);
    now += wait;
    assert_ptr_equal(choose(), successor);
}

static void an_old_pool_has_a_successor(void **state) {
    cly_pool *current, *successor;
    int connection = stand_up(&current);
    (void)state;
    while (now < start + max_age - 0.75) {
        now += 0.5;
        carry(current, connection, 1);
    }
    now = start + max_age;
    successor = start_one();
    assert_true(successor != current);
    assert_ptr_equal(start_one(), current);
    issue(current, connection);
    issue(successor, open_connection(successor));
    assert_ptr_equal(choose(), successor);
    assert_true(current->is_retired);
    finish(current);
    finish(successor);
}

static void an_old_pool_of_http1_is_replaced_at_once(void **state) {
    cly_pool *current = start_one();
    (void)state;
    cly_pools_issued(pools, current, open_connection(current), CLY_PROTOCOL_HTTP1, 0.001, now);
    finish(current);
    now = start + max_age - 1;
    assert_ptr_equal(choose(), current);
    now = start + max_age;
    assert_true(choose() != current);
    assert_true(current->is_retired);
}

/* libcurl would close its connection, and open one for each attempt. */
static void an_unused_pool_is_given_up(void **state) {
    cly_pool *pool;
    (void)state;
    stand_up(&pool);
    now += 39;
    assert_ptr_equal(choose(), pool);
    now += 2;
    assert_true(choose() != pool);
    assert_true(pool->is_retired);
}

static void a_pool_in_use_is_not_given_up(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    start_and_issue(pool, connection, 1);
    now += 60;
    assert_ptr_equal(choose(), pool);
    finish(pool);
}

/* ---- retired pools ---- */

static void a_retired_pool_is_freed_when_its_users_are_gone(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    start_and_issue(pool, connection, 2);
    cly_pools_retire(pools, pool, now);
    cly_pools_retire(pools, pool, now); /* harmless */
    assert_int_equal(count_retired(), 1);
    assert_null(cly_pools_drained(pools, now + 1000, &wait));
    assert_true(wait == HUGE_VAL);
    finish(pool);
    assert_null(cly_pools_drained(pools, now + 1000, &wait));
    finish(pool);
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
    close_connection(connection);
    cly_pools_drop(pools, pool);
    assert_int_equal(count_retired(), 0);
    assert_null(cly_pools_drained(pools, now, &wait));
    assert_int_equal(pools->running, 0);
}

static void a_retired_successor_is_none_any_more(void **state) {
    cly_pool *current, *successor;
    int connection = stand_up(&current);
    (void)state;
    carry(current, connection, REQUESTS - 100 - 1);
    successor = start_one();
    cly_pools_retire(pools, successor, now);
    assert_null(pools->successor);
    assert_ptr_equal(pools->current, current);
    assert_true(choose() != successor);
    give_up(successor);
}

/* A connection may outlive its pool by a little: libcurl closes it later. */
static void a_connection_may_be_closed_after_its_pool(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    cly_pools_retire(pools, pool, now);
    cly_pools_drop(pools, pool);
    assert_null(pools->connections.list[connection].pool);
    close_connection(connection);
    assert_int_equal(pools->connections.open, 0);
}

/* A pool that carried all that the learnt limit of 40 allows, and was replaced. */
static cly_pool *use_up_learnt_limit(int *connection) {
    cly_pool *pool, *successor;
    int first = stand_up(&pool);
    refuse(pool, first, 40, 5);
    close_connection(first);
    cly_pools_drop(pools, pool);
    *connection = stand_up(&pool);
    carry(pool, *connection, 19);
    assert_int_equal(pools->connections.list[*connection].requests, 20);
    stand_up(&successor);
    assert_true(successor != pool);
    for (int i = 0; i < 20; i++) { /* it is used up, to see what the server does */
        assert_ptr_equal(start_one(), pool);
        issue(pool, *connection);
        finish(pool);
    }
    assert_ptr_equal(choose(), successor);
    assert_true(pool->is_retired && pool->is_full);
    return pool;
}

static void a_limit_is_confirmed_when_the_server_closes(void **state) {
    int connection;
    cly_pool *pool = use_up_learnt_limit(&connection), *successor = pools->current;
    (void)state;
    assert_null(cly_pools_drained(pools, now, &wait));
    assert_true(wait == 2);
    hang_up(connection);
    now += 2;
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
    cly_pools_drop(pools, pool);
    assert_true(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 40);
    assert_ptr_equal(choose(), successor);
}

/* What is certain is not used up: the successor takes over as soon as it stands, and
 * the retired pool is freed at once. */
static void a_confirmed_limit_is_kept_away_from(void **state) {
    int connection;
    cly_pool *pool = use_up_learnt_limit(&connection), *next;
    (void)state;
    hang_up(connection);
    now += 2;
    cly_pools_drop(pools, cly_pools_drained(pools, now, &wait));
    pool = pools->current;
    for (connection = 0; pools->connections.list[connection].pool != pool;) connection++;
    carry(pool, connection, 19);
    stand_up(&next);
    assert_ptr_equal(choose(), next);
    assert_true(pool->is_retired && !pool->is_full);
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
}

/* The server is reloaded once more before it is known whether it meant the limit. */
static void another_reload_confirms_no_limit(void **state) {
    int connection;
    cly_pool *pool = use_up_learnt_limit(&connection), *successor = pools->current;
    (void)state;
    now += 1;
    hang_up(connection);
    assert_ptr_equal(start_one(), successor);
    issue(successor, connection_of(successor));
    assert_true(cly_pools_refused(pools, successor,
                                  cly_connections_at(&pools->connections, connection_of(successor)), now));
    finish(successor);
    now += 1;
    cly_pools_drop(pools, pool);
    assert_false(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 40);
}

static void a_pool_that_was_refused_requests_confirms_no_limit(void **state) {
    int connection;
    cly_pool *pool = use_up_learnt_limit(&connection);
    (void)state;
    cly_pools_refused(pools, pool, cly_connections_at(&pools->connections, connection), now);
    hang_up(connection);
    cly_pools_drop(pools, pool);
    assert_false(pools->is_confirmed);
}

static void a_confirmed_limit_is_tried_again_after_a_minute(void **state) {
    int connection;
    cly_pool *pool = use_up_learnt_limit(&connection);
    (void)state;
    hang_up(connection);
    now += 2;
    cly_pools_drop(pools, pool);
    assert_true(pools->is_confirmed);
    now += 57;
    assert_non_null(choose());
    assert_true(pools->is_confirmed);
    now += 2;
    (void)choose();
    assert_false(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 40);
}

static void a_limit_is_raised_when_the_server_goes_on(void **state) {
    int connection;
    cly_pool *pool = use_up_learnt_limit(&connection);
    (void)state;
    now += 2;
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
    cly_pools_drop(pools, pool);
    assert_false(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 80);
}

static void raising_ends_at_the_first_limit(void **state) {
    static const struct { int learnt, raised; } cases[] = {{16, 32}, {500, 1000}, {501, 1000}, {999, 1000}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cly_pool *pool;
        int connection = stand_up(&pool);
        pools->request_limit = cases[i].learnt;
        cly_pools_retire(pools, pool, now);
        pool->is_full = true;
        cly_pools_drop(pools, pool);
        close_connection(connection);
        assert_int_equal(pools->request_limit, cases[i].raised);
    }
}

/* ---- memory ---- */

static void without_memory_it_is_tried_again(void **state) {
    (void)state;
    memory_fail(0, MEMORY_FAILS_ONCE);
    assert_null(choose());
    assert_true(memory_restore());
    assert_true(wait > 0 && wait < 1);
    assert_non_null(choose());
}

static void without_memory_for_a_successor_the_current_goes_on(void **state) {
    cly_pool *pool;
    int connection = stand_up(&pool);
    (void)state;
    carry(pool, connection, REQUESTS - 100 - 1);
    memory_fail(0, MEMORY_FAILS_ONCE);
    assert_ptr_equal(choose(), pool);
    assert_true(memory_restore());
    assert_true(choose() != pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_HTTP1(name) cmocka_unit_test_setup_teardown(name, begin_http1, end)
#define TEST_ONE(name) cmocka_unit_test_setup_teardown(name, begin_with_one_connection, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_attempt_goes_alone),
        TEST(a_slow_handshake_gives_the_settings_as_long),
        TEST(a_first_attempt_that_fails_lets_the_next_go),
        TEST_HTTP1(http1_has_one_place_for_each_connection),
        TEST_HTTP1(http1_counts_the_connections_of_retired_pools),
        TEST(a_server_may_turn_out_to_speak_http1),
        TEST(streams_are_used_up_and_then_one_opens_another),
        TEST_ONE(no_more_than_max_connections_are_opened),
        TEST_ONE(a_kept_attempt_teaches_the_limit),
        TEST_ONE(the_limit_is_raised_again_by_and_by),
        TEST(a_connection_that_was_not_needed_teaches_the_limit),
        TEST(a_connection_that_was_needed_teaches_nothing),
        TEST(libcurl_opens_no_more_than_max_connections),
        TEST(connections_that_are_being_made_are_counted),
        TEST(a_connection_that_cannot_be_named_counts_too),
        TEST(the_limit_is_one_at_least),
        TEST(one_attempt_finds_out_whether_a_rested_connection_works),
        TEST(others_wait_a_round_trip_for_it_and_no_longer),
        TEST(one_that_was_not_issued_leaves_the_question_open),
        TEST(refused_requests_teach_the_limit),
        TEST(fewer_than_were_taken_before_are_believed_the_second_time),
        TEST(so_few_requests_are_no_limit),
        TEST(a_lower_limit_is_to_be_confirmed_again),
        TEST(none_is_given_while_a_connection_takes_nothing),
        TEST(a_connection_that_takes_none_is_told_apart),
        TEST_HTTP1(http1_has_no_limit_of_requests),
        TEST_HTTP1(http1_turns_nothing_away),
        TEST(before_the_limit_a_successor_is_opened),
        TEST_ONE(a_full_connection_takes_no_more),
        TEST_ONE(those_not_issued_yet_count),
        TEST(a_successor_that_fails_waits_for_its_next_turn),
        TEST_ONE(a_full_pool_waits_for_its_successors_next_try),
        TEST(an_old_pool_has_a_successor),
        TEST_HTTP1(an_old_pool_of_http1_is_replaced_at_once),
        TEST(an_unused_pool_is_given_up),
        TEST(a_pool_in_use_is_not_given_up),
        TEST(a_retired_pool_is_freed_when_its_users_are_gone),
        TEST(a_retired_successor_is_none_any_more),
        TEST(a_connection_may_be_closed_after_its_pool),
        TEST_ONE(a_limit_is_confirmed_when_the_server_closes),
        TEST_ONE(another_reload_confirms_no_limit),
        TEST_ONE(a_pool_that_was_refused_requests_confirms_no_limit),
        TEST_ONE(a_confirmed_limit_is_tried_again_after_a_minute),
        TEST_ONE(a_confirmed_limit_is_kept_away_from),
        TEST_ONE(a_limit_is_raised_when_the_server_goes_on),
        TEST_ONE(raising_ends_at_the_first_limit),
        TEST(without_memory_it_is_tried_again),
        TEST(without_memory_for_a_successor_the_current_goes_on),
    };
    return cmocka_run_group_tests_name("io/pools", tests, NULL, NULL);
}
