/* On which connections attempts run: the tests have connections of their own and tell
 * what an engine would tell. */
#include "core/connect/pools.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 3, STREAMS = 100, REQUESTS = 1000 };

static const double max_age = 300, start = 1000;

/* As io has them. */
typedef struct connection {
    cly_connection_use use;
    cly_pool *pool; /* NULL when that is gone */
    bool is_open, has_hung_up;
} connection;

static cly_pools *pools; /* on the heap, where ASan guards it */
static double now, wait;
static connection list[8]; /* entries are used again */
static unsigned opened;
static int shares; /* that are open */
static bool has_no_share;

static void *open_share(void) {
    shares += !has_no_share;
    return has_no_share ? NULL : &shares;
}

static void close_share(void *context, cly_pool *pool) {
    assert_ptr_equal(context, list);
    assert_ptr_equal(pool->share, &shares);
    shares--;
    for (size_t i = 0; i < COUNT_OF(list); i++)
        if (list[i].pool == pool) list[i].pool = NULL;
}

static int alive(void *context, const cly_pool *pool) {
    int count = 0;
    assert_ptr_equal(context, list);
    for (size_t i = 0; i < COUNT_OF(list); i++)
        count += list[i].is_open && !list[i].has_hung_up && list[i].pool == pool && list[i].use.requests > 0;
    return count;
}

static void open_pools(int max_connections, bool http2) {
    const cly_pools_options options = {
        max_connections, max_age, http2, {open_share, close_share, alive, list}};
    pools = malloc(sizeof *pools);
    assert_non_null(pools);
    cly_pools_init(pools, &options);
    now = start;
    has_no_share = false;
    memset(list, 0, sizeof list);
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
    cly_pools_clear(pools);
    assert_int_equal(shares, 0);
    free(pools);
    pools = NULL;
    return 0;
}

/* ---- what libcurl would do ---- */

static connection *open_connection(cly_pool *pool) {
    const connection made = {.use = {.serial = ++opened}, .pool = pool, .is_open = true};
    size_t index = 0;
    while (index < COUNT_OF(list) && list[index].is_open) index++;
    assert_true(index < COUNT_OF(list));
    list[index] = made;
    return &list[index];
}

static connection *connection_of(const cly_pool *pool) {
    size_t index = 0;
    while (list[index].pool != pool) index++;
    return &list[index];
}

static void close_connection(connection *closed) {
    closed->is_open = false;
    cly_pools_closed(closed->pool, &closed->use);
}

/* The peer ends it; libcurl has not noticed yet. */
static void hang_up(connection *ended) {
    ended->has_hung_up = true;
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

static void issue(cly_pool *pool, connection *on) {
    cly_pools_issued(pools, pool, on ? &on->use : NULL, CLY_PROTOCOL_HTTP2, 0.001, now);
}

static void reply(cly_pool *pool, connection *on) {
    cly_pools_replied(pools, pool, on ? &on->use : NULL, CLY_PROTOCOL_HTTP2, now);
}

static void finish(cly_pool *pool) {
    cly_pools_ended(pools, pool, true, now);
}

static void give_up(cly_pool *pool) {
    cly_pools_ended(pools, pool, false, now);
}

/* The rest of an attempt that was started. */
static void exchange(cly_pool *pool, connection *on) {
    issue(pool, on);
    reply(pool, on);
    finish(pool);
}

/* The first attempt on the pool that is chosen, with its reply; the connection. */
static connection *stand_up(cly_pool **pool) {
    connection *on;
    *pool = start_one();
    on = open_connection(*pool);
    exchange(*pool, on);
    return on;
}

/* So many whole requests, one after another, all on this connection. */
static void carry(cly_pool *pool, connection *on, int requests) {
    for (int i = 0; i < requests; i++) {
        assert_ptr_equal(start_one(), pool);
        exchange(pool, on);
    }
}

/* A pool whose connection has carried so much that the next attempt opens its successor. */
static connection *stand_up_used(cly_pool **pool) {
    connection *on = stand_up(pool);
    carry(*pool, on, REQUESTS - 100 - 1);
    return on;
}

static void start_and_issue(cly_pool *pool, connection *on, int requests) {
    for (int i = 0; i < requests; i++) {
        assert_ptr_equal(start_one(), pool);
        issue(pool, on);
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
    connection *on;
    (void)state;
    assert_null(choose());
    assert_true(wait == 1); /* unless it hangs */ /* until it has ended, or was issued */
    assert_int_equal(cly_pools_room(pools), 1);
    on = open_connection(pool);
    issue(pool, on);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.02); /* for the server's settings */
    now += wait;
    assert_ptr_equal(choose(), pool);
    assert_int_equal(cly_pools_room(pools), 1);
    reply(pool, on);
    assert_int_equal(cly_pools_room(pools), STREAMS - 1);
}

static void a_slow_handshake_gives_the_settings_as_long(void **state) {
    cly_pool *pool = start_one();
    connection *on = open_connection(pool);
    (void)state;
    cly_pools_issued(pools, pool, &on->use, CLY_PROTOCOL_HTTP2, 0.3, now);
    assert_null(choose());
    assert_true(fabs(wait - 0.3) < 1e-9);
    now += 0.29;
    assert_null(choose());
    reply(pool, on); /* they came before it */
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
    connection *on = open_connection(pool);
    (void)state;
    cly_pools_issued(pools, pool, &on->use, CLY_PROTOCOL_HTTP1, 0.001, now);
    assert_int_equal(cly_pools_room(pools), CONNECTIONS - 1);
    for (int i = 1; i < CONNECTIONS; i++) assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    cly_pools_replied(pools, pool, &on->use, CLY_PROTOCOL_HTTP1, now);
    assert_int_equal(on->use.protocol, CLY_PROTOCOL_HTTP1);
}

/* libcurl 7.88 to 8.2 would give more than one request to the second. */
static void connections_of_two_protocols_retire_their_pool(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *second;
    (void)state;
    start_and_issue(pool, first, STREAMS);
    assert_ptr_equal(start_one(), pool);
    second = open_connection(pool);
    assert_true(cly_pools_has_stream(pools, pool, &second->use, now));
    cly_pools_issued(pools, pool, &second->use, CLY_PROTOCOL_HTTP1, 0.001, now);
    second->use.under_way++;
    assert_true(pool->is_retired);
    assert_false(cly_pools_has_stream(pools, pool, &second->use, now));
    assert_true(cly_pools_has_stream(pools, pool, &first->use, now));
    second->use.under_way--;
    assert_true(cly_pools_has_stream(pools, pool, &second->use, now));
    assert_true(start_one() != pool);
}

/* Without OpenSSL it is known when it has replied. */
static void a_connection_of_no_known_protocol_carries_one_request(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *second;
    (void)state;
    start_and_issue(pool, first, STREAMS);
    start_one();
    second = open_connection(pool);
    cly_pools_issued(pools, pool, &second->use, CLY_PROTOCOL_UNKNOWN, 0.001, now);
    second->use.under_way++;
    assert_false(cly_pools_has_stream(pools, pool, &second->use, now));
    cly_pools_replied(pools, pool, &second->use, CLY_PROTOCOL_HTTP2, now);
    assert_true(cly_pools_has_stream(pools, pool, &second->use, now));
    assert_false(pool->is_retired);
}

static void streams_are_used_up_and_then_one_opens_another(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *second;
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
    connection *on = stand_up(&pool);
    (void)state;
    start_and_issue(pool, on, STREAMS);
    now += 1;
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    finish(pool);
    assert_ptr_equal(choose(), pool);
}

/* ---- the limit of streams ---- */

/* So many go on, and libcurl kept one more. */
static void learn_stream_limit(cly_pool *pool, connection *on, int limit) {
    start_and_issue(pool, on, limit);
    assert_ptr_equal(start_one(), pool);
    cly_pools_parked(pools, pool, now);
    give_up(pool);
}

static void a_kept_attempt_teaches_the_limit(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    learn_stream_limit(pool, on, 10);
    assert_int_equal(pools->stream_limit, 10);
    assert_null(choose()); /* for a moment none is given to libcurl */
    assert_true(wait > 0 && wait <= 0.01);
    for (int i = 0; i < 5; i++) finish(pool);
    now += wait;
    start_and_issue(pool, on, 5);
    pools->raised_at = now;
    assert_null(choose());
}

static void the_limit_is_raised_again_by_and_by(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    int before = 10;
    (void)state;
    learn_stream_limit(pool, on, before);
    now += 0.6; /* libcurl knows it by now */
    for (int i = 0; pools->stream_limit < STREAMS; i++) {
        assert_true(i < 20);
        start_and_issue(pool, on, 1); /* there was none, and it is raised */
        assert_true(pools->stream_limit > before);
        before = pools->stream_limit;
        start_and_issue(pool, on, before - pool->users);
        if (before < STREAMS) assert_null(choose()); /* not twice in a moment */
        now += 0.11;
    }
    assert_null(choose());
    assert_int_equal(pools->stream_limit, STREAMS);
}

/* There should have been streams left on the one that stands. */
static void a_connection_that_was_not_needed_teaches_the_limit(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *second;
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

static void a_reply_says_that_the_settings_have_come(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *second;
    (void)state;
    start_and_issue(pool, first, 10);
    assert_ptr_equal(start_one(), pool);
    assert_true(cly_pools_may_open(pools, pool));
    second = open_connection(pool);
    issue(pool, second);
    reply(pool, first);
    assert_null(choose()); /* it came on the other connection */
    reply(pool, second);
    start_and_issue(pool, second, 9);
    assert_int_equal(pool->users, 20);
}

/* Before libcurl knows a connection's limit it would give it as many as it can carry. */
static void a_new_connection_takes_what_was_learnt(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *fresh;
    (void)state;
    first->use.under_way = 7;
    assert_true(cly_pools_has_stream(pools, pool, &first->use, now)); /* nothing was learnt */
    pools->stream_limit = 7;
    pools->learnt_limit = 5;
    assert_ptr_equal(start_one(), pool);
    fresh = open_connection(pool);
    assert_true(cly_pools_has_stream(pools, pool, &fresh->use, now));
    issue(pool, fresh);
    fresh->use.under_way = 5;
    assert_false(cly_pools_has_stream(pools, pool, &fresh->use, now));
    assert_false(cly_pools_has_stream(pools, pool, &fresh->use, now + 60)); /* before its first reply */
    reply(pool, fresh);
    assert_false(cly_pools_has_stream(pools, pool, &fresh->use, now)); /* it may be told with that */
    assert_true(cly_pools_has_stream(pools, pool, &fresh->use, now + 1));
}

static void the_limit_is_raised_where_libcurl_knows_it(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    start_and_issue(pool, on, 5);
    cly_pools_parked(pools, start_one(), now);
    give_up(pool);
    assert_int_equal(pools->learnt_limit, 5);
    now += 0.2;
    assert_null(choose());
    assert_int_equal(pools->stream_limit, 5); /* not before */
    now += 0.5;
    assert_ptr_equal(start_one(), pool);
    assert_true(pools->stream_limit > 5);
    assert_int_equal(pools->learnt_limit, 5);
    on->use.under_way = 6;
    issue(pool, on);
    assert_int_equal(pools->learnt_limit, 6); /* libcurl let it go */
}

/* One that dies before its first reply leaves the others what they were. */
static void the_newest_connection_may_close(void **state) {
    cly_pool *pool;
    connection *first = stand_up(&pool), *second;
    (void)state;
    pools->stream_limit = pools->learnt_limit = 5;
    start_and_issue(pool, first, 5);
    assert_ptr_equal(start_one(), pool);
    second = open_connection(pool);
    issue(pool, second);
    finish(pool);
    finish(pool);
    assert_null(choose());
    close_connection(second);
    assert_ptr_equal(choose(), pool);
}

static void a_connection_that_was_needed_teaches_nothing(void **state) {
    cly_pool *pool = start_one();
    connection *on;
    (void)state;
    assert_true(cly_pools_may_open(pools, pool)); /* the first */
    assert_int_equal(pools->stream_limit, STREAMS);
    on = open_connection(pool);
    issue(pool, on);
    reply(pool, on);
    start_and_issue(pool, on, STREAMS - 1);
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
    connection *on;
    (void)state;
    assert_int_equal(cly_pools_opening(pools), 0);
    current = start_one();
    assert_int_equal(cly_pools_opening(pools), 1);
    on = open_connection(current);
    exchange(current, on);
    assert_int_equal(cly_pools_opening(pools), 0);
    carry(current, on, REQUESTS - 100 - 1);
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
    issue(pool, NULL);
    reply(pool, NULL);
    for (int i = 1; i < REQUESTS - 100; i++) {
        assert_ptr_equal(start_one(), pool);
        issue(pool, NULL);
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
    connection *on = stand_up(&pool);
    (void)state;
    now += 2;
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    issue(pool, on);
    assert_null(choose());
    reply(pool, on);
    assert_ptr_equal(choose(), pool);
}

/* A slow reply keeps the others no longer than a reset would take to come. */
static void others_wait_a_round_trip_for_it_and_no_longer(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    now += 2;
    assert_ptr_equal(start_one(), pool);
    issue(pool, on);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.02);
    now += wait;
    start_and_issue(pool, on, STREAMS - 1);
}

static void one_that_was_not_issued_leaves_the_question_open(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    now += 2;
    assert_ptr_equal(choose(), pool); /* the limiter kept it */
    now += 2;
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    give_up(pool);
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    issue(pool, on);
    finish(pool);
    assert_ptr_equal(choose(), pool);
}

/* ---- the limit of requests ---- */

/* This many requests of the pool were not taken, after so many that were. */
static void refuse(cly_pool *pool, connection *on, int taken, int refused) {
    start_and_issue(pool, on, taken + refused - on->use.requests);
    for (int i = 0; i < refused; i++) {
        assert_true(cly_pools_refused(pools, pool, &on->use, now));
        finish(pool);
    }
    while (pool->users > 0) finish(pool);
}

static void refused_requests_teach_the_limit(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    refuse(pool, on, 40, 10);
    assert_int_equal(pools->request_limit, 40);
    assert_false(pools->is_confirmed);
    assert_true(pool->is_retired);
    assert_null(pools->current);
    assert_true(choose() != pool);
}

static int limit_after(int taken) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    refuse(pool, on, taken, 2);
    close_connection(on);
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
    connection *on = stand_up(&pool);
    (void)state;
    refuse(pool, on, 2, 3);
    assert_int_equal(pools->request_limit, REQUESTS);
    assert_true(pool->is_retired);
    on = stand_up(&pool);
    refuse(pool, on, 16, 1);
    assert_int_equal(pools->request_limit, 16);
}

static void a_lower_limit_is_to_be_confirmed_again(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    pools->request_limit = 80;
    pools->is_confirmed = true;
    refuse(pool, on, 30, 1);
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
    connection *on = open_connection(pool);
    (void)state;
    issue(pool, on);
    assert_false(cly_pools_refused(pools, pool, &on->use, now));
    finish(pool);
    assert_true(pool->is_retired);
}

/* As refused ones: the server ended the connection and said nothing. */
static void requests_without_a_reply_teach_the_limit(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    start_and_issue(pool, on, 60 - on->use.requests);
    close_connection(on);
    for (int i = 0; i < 10; i++) {
        cly_pools_hung_up(pools, pool, i < 5 ? &on->use : NULL, now);
        finish(pool);
    }
    assert_int_equal(pools->request_limit, 50);
    assert_true(pool->is_retired);
}

/* So many on one connection, one of which was started. */
static void issue_over_http1(cly_pool *pool, connection *on, int requests) {
    for (int i = 0; i < requests; i++)
        cly_pools_issued(pools, pool, &on->use, CLY_PROTOCOL_HTTP1, 0.001, now);
    pool->unissued = 0;
}

static void of_http1_a_close_teaches_none(void **state) {
    cly_pool *pool = start_one();
    connection *on = open_connection(pool);
    (void)state;
    issue_over_http1(pool, on, 50);
    cly_pools_hung_up(pools, pool, &on->use, now);
    assert_int_equal(pools->request_limit, REQUESTS);
    assert_false(pool->is_retired);
    finish(pool);
}

/* A connection of HTTP/1.1 that is closed says nothing of others. */
static void http1_has_no_limit_of_requests(void **state) {
    cly_pool *pool = start_one();
    connection *on = open_connection(pool);
    (void)state;
    issue_over_http1(pool, on, 50);
    assert_true(cly_pools_refused(pools, pool, &on->use, now));
    assert_int_equal(pools->request_limit, REQUESTS);
    assert_false(pool->is_retired);
    finish(pool);
}

/* libcurl repeats over HTTP/1.1 only what it sent on a kept on, so each has taken
 * a request before, however many were refused on others. */
static void http1_turns_nothing_away(void **state) {
    cly_pool *pool = NULL;
    (void)state;
    for (int i = 0; i < 5; i++) {
        connection *on;
        pool = start_one();
        on = open_connection(pool);
        issue_over_http1(pool, on, 2);
        close_connection(on);
        assert_true(cly_pools_refused(pools, pool, NULL, now));
        finish(pool);
    }
}

/* ---- successors ---- */

static void before_the_limit_a_successor_is_opened(void **state) {
    cly_pool *current, *successor;
    connection *old = stand_up_used(&current), *fresh;
    (void)state;
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
    connection *on = stand_up_used(&current);
    (void)state;
    successor = start_one();
    carry(current, on, 100);
    assert_int_equal(on->use.requests, REQUESTS);
    assert_null(choose());
    assert_true(wait == HUGE_VAL);
    give_up(successor);
}

/* Requests that were given to libcurl and not issued yet count too. */
static void those_not_issued_yet_count(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    refuse(pool, on, 40, 1);
    on = stand_up(&pool);
    now += 1;
    carry(pool, on, 19 - 1);
    assert_ptr_equal(start_one(), pool);
    assert_true(start_one() != pool); /* 20 are the headroom */
    for (int i = 0; i < 20; i++) assert_ptr_equal(start_one(), pool);
    assert_null(choose());
}

static void a_successor_that_fails_waits_for_its_next_turn(void **state) {
    cly_pool *current, *successor;
    connection *on = stand_up_used(&current);
    (void)state;
    successor = start_one();
    give_up(successor);
    carry(current, on, 1);
    now += 0.6;
    assert_ptr_equal(start_one(), successor);
}

/* Nothing else would make the engine ask again. */
static void a_full_pool_waits_for_its_successors_next_try(void **state) {
    cly_pool *current, *successor;
    connection *on = stand_up_used(&current);
    (void)state;
    successor = start_one();
    carry(current, on, 100);
    give_up(successor);
    assert_null(choose());
    assert_true(wait > 0 && wait <= 0.5);
    now += wait;
    assert_ptr_equal(choose(), successor);
}

static void an_old_pool_has_a_successor(void **state) {
    cly_pool *current, *successor;
    connection *on = stand_up(&current);
    (void)state;
    while (now < start + max_age - 0.75) {
        now += 0.5;
        carry(current, on, 1);
    }
    now = start + max_age;
    successor = start_one();
    assert_true(successor != current);
    assert_ptr_equal(start_one(), current);
    issue(current, on);
    issue(successor, open_connection(successor));
    assert_ptr_equal(choose(), successor);
    assert_true(current->is_retired);
    finish(current);
    finish(successor);
}

static void an_old_pool_of_http1_is_replaced_at_once(void **state) {
    cly_pool *current = start_one();
    (void)state;
    cly_pools_issued(pools, current, &open_connection(current)->use, CLY_PROTOCOL_HTTP1, 0.001, now);
    finish(current);
    now = start + max_age - 1;
    assert_ptr_equal(choose(), current);
    now = start + max_age;
    assert_true(choose() != current);
    assert_true(current->is_retired);
}

/* libcurl would close its on, and open one for each attempt. */
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
    connection *on = stand_up(&pool);
    (void)state;
    start_and_issue(pool, on, 1);
    now += 60;
    assert_ptr_equal(choose(), pool);
    finish(pool);
}

/* The next attempt opens another, and goes alone. */
static void a_closed_connection_takes_no_streams(void **state) {
    cly_pool *pool;
    (void)state;
    close_connection(stand_up(&pool));
    assert_int_equal(pool->standing, 0);
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
}

static void one_that_carried_no_request_was_not_counted(void **state) {
    cly_pool *pool;
    (void)state;
    stand_up(&pool);
    close_connection(open_connection(pool));
    assert_int_equal(pool->standing, 1);
}

static const struct {
    const char *description;
    double silent, elapsed;
    bool is_retired;
} timeouts[] = {
    {"silent all the time", 0.4, 0.4, true},
    {"silent for half of it", 0.2, 0.4, true},
    {"silent for less", 0.19, 0.4, false},
    {"silent for a second of many", 1, 30, true},
    {"silent for less than a second of many", 0.9, 30, false},
};

static void a_silent_connection_is_retired_when_a_request_times_out(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        cly_pool *pool = start_one();
        issue(pool, open_connection(pool));
        cly_pools_timed_out(pools, pool, timeouts[i].silent, timeouts[i].elapsed, now);
        check_case(pool->is_retired == timeouts[i].is_retired, timeouts[i].description);
        finish(pool);
        now += 1;
        cly_pools_clear(pools);
    }
}

/* ---- retired pools ---- */

static void a_retired_pool_is_freed_when_its_users_are_gone(void **state) {
    cly_pool *pool;
    connection *on = stand_up(&pool);
    (void)state;
    start_and_issue(pool, on, 2);
    cly_pools_retire(pools, pool, now);
    cly_pools_retire(pools, pool, now); /* harmless */
    assert_int_equal(count_retired(), 1);
    assert_null(cly_pools_drained(pools, now + 1000, &wait));
    assert_true(wait == HUGE_VAL);
    finish(pool);
    assert_null(cly_pools_drained(pools, now + 1000, &wait));
    finish(pool);
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
    close_connection(on);
    cly_pools_drop(pools, pool);
    assert_int_equal(count_retired(), 0);
    assert_null(cly_pools_drained(pools, now, &wait));
    assert_int_equal(pools->running, 0);
}

static void a_retired_successor_is_none_any_more(void **state) {
    cly_pool *current, *successor;
    (void)state;
    stand_up_used(&current);
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
    connection *on = stand_up(&pool);
    (void)state;
    cly_pools_retire(pools, pool, now);
    cly_pools_drop(pools, pool);
    assert_null(on->pool);
    close_connection(on);
}

/* A pool that carried all that the learnt limit of 40 allows, and was replaced. */
static cly_pool *use_up_learnt_limit(connection **on) {
    cly_pool *pool, *successor;
    connection *first = stand_up(&pool);
    refuse(pool, first, 40, 5);
    close_connection(first);
    cly_pools_drop(pools, pool);
    *on = stand_up(&pool);
    carry(pool, *on, 19);
    assert_int_equal((*on)->use.requests, 20);
    stand_up(&successor);
    assert_true(successor != pool);
    for (int i = 0; i < 20; i++) { /* it is used up, to see what the server does */
        assert_ptr_equal(start_one(), pool);
        issue(pool, *on);
        finish(pool);
    }
    assert_ptr_equal(choose(), successor);
    assert_true(pool->is_retired && pool->is_full);
    return pool;
}

/* It is known by then whether the server goes on. */
static void drop_drained(cly_pool *pool) {
    now += 2;
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
    cly_pools_drop(pools, pool);
}

static void a_limit_is_confirmed_when_the_server_closes(void **state) {
    connection *on;
    cly_pool *pool = use_up_learnt_limit(&on), *successor = pools->current;
    (void)state;
    assert_null(cly_pools_drained(pools, now, &wait));
    assert_true(wait == 2);
    hang_up(on);
    drop_drained(pool);
    assert_true(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 40);
    assert_ptr_equal(choose(), successor);
}

/* What is certain is not used up: the successor takes over as soon as it stands, and
 * the retired pool is freed at once. */
static void a_confirmed_limit_is_kept_away_from(void **state) {
    connection *on;
    cly_pool *pool = use_up_learnt_limit(&on), *next;
    (void)state;
    hang_up(on);
    drop_drained(pool);
    pool = pools->current;
    on = connection_of(pool);
    carry(pool, on, 19);
    stand_up(&next);
    assert_ptr_equal(choose(), next);
    assert_true(pool->is_retired && !pool->is_full);
    assert_ptr_equal(cly_pools_drained(pools, now, &wait), pool);
}

/* The server is reloaded once more before it is known whether it meant the limit. */
static void another_reload_confirms_no_limit(void **state) {
    connection *on;
    cly_pool *pool = use_up_learnt_limit(&on), *successor = pools->current;
    (void)state;
    now += 1;
    hang_up(on);
    assert_ptr_equal(start_one(), successor);
    issue(successor, connection_of(successor));
    assert_true(cly_pools_refused(pools, successor, &connection_of(successor)->use, now));
    finish(successor);
    now += 1;
    cly_pools_drop(pools, pool);
    assert_false(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 40);
}

static void a_pool_that_was_refused_requests_confirms_no_limit(void **state) {
    connection *on;
    cly_pool *pool = use_up_learnt_limit(&on);
    (void)state;
    cly_pools_refused(pools, pool, &on->use, now);
    hang_up(on);
    cly_pools_drop(pools, pool);
    assert_false(pools->is_confirmed);
}

static void a_confirmed_limit_is_tried_again_after_a_minute(void **state) {
    connection *on;
    cly_pool *pool = use_up_learnt_limit(&on);
    (void)state;
    hang_up(on);
    drop_drained(pool);
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
    connection *on;
    cly_pool *pool = use_up_learnt_limit(&on);
    (void)state;
    drop_drained(pool);
    assert_false(pools->is_confirmed);
    assert_int_equal(pools->request_limit, 80);
}

static void raising_ends_at_the_first_limit(void **state) {
    static const struct { int learnt, raised; } cases[] = {{16, 32}, {500, 1000}, {501, 1000}, {999, 1000}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cly_pool *pool;
        connection *on = stand_up(&pool);
        pools->request_limit = cases[i].learnt;
        cly_pools_retire(pools, pool, now);
        pool->is_full = true;
        cly_pools_drop(pools, pool);
        close_connection(on);
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

static void without_a_share_it_is_tried_again(void **state) {
    (void)state;
    has_no_share = true;
    assert_null(choose());
    assert_null(pools->current);
    assert_true(wait > 0 && wait < 1);
    has_no_share = false;
    assert_non_null(choose());
}

static void without_memory_for_a_successor_the_current_goes_on(void **state) {
    cly_pool *pool;
    (void)state;
    stand_up_used(&pool);
    memory_fail(0, MEMORY_FAILS_ONCE);
    assert_ptr_equal(choose(), pool);
    assert_true(memory_restore());
    assert_true(choose() != pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_HTTP1(name) cmocka_unit_test_setup_teardown(name, begin_http1, end)
#define TEST_ONE(name) cmocka_unit_test_setup_teardown(name, begin_with_one_connection, end)

/* As when packets are lost on the way to one address of several, or for a while. */
static void a_connection_that_hangs_is_tried_beside(void **state) {
    cly_pool *pool = start_one();
    connection *on;
    (void)state;
    assert_null(choose());
    assert_true(wait > 0.9 && wait <= 1);
    now += 1.1;
    assert_ptr_equal(start_one(), pool);
    assert_null(choose());
    on = open_connection(pool);
    issue(pool, on);
    reply(pool, on);
    start_and_issue(pool, on, 10); /* the first still hangs */
    give_up(pool);
}

static void issue_slowly(cly_pool *pool, connection *on, double taken) {
    cly_pools_issued(pools, pool, &on->use, CLY_PROTOCOL_HTTP2, taken, now);
}

static void complete(cly_pool *pool, connection *on) {
    issue(pool, on);
    reply(pool, on);
    finish(pool);
}

/* The successor stands, and the current pool waits for a server of few streams to tell its
 * settings on a second connection: no other event would say when it has. */
static void the_settings_of_the_current_pool_are_waited_for_beside_a_successor(void **state) {
    cly_pool *pool = start_one(), *parked;
    connection *first = open_connection(pool), *second, *third;
    (void)state;
    for (int i = 0; i < 20; i++) {
        complete(pool, first);
        pool = start_one();
    }
    issue(pool, first);
    cly_pools_refused(pools, pool, &first->use, now);
    finish(pool);
    assert_int_equal(pools->request_limit, 20);
    pool = start_one();
    second = open_connection(pool);
    complete(pool, second);
    while ((pool = start_one()) == pools->current) complete(pool, second);
    assert_ptr_equal(pool, pools->successor);
    complete(pool, open_connection(pool));
    pool = start_one();
    assert_ptr_equal(pool, pools->current);
    issue(pool, second);
    parked = start_one();
    cly_pools_parked(pools, parked, now);
    give_up(parked);
    now += 0.02;
    assert_ptr_equal(start_one(), pool);
    assert_true(cly_pools_may_open(pools, pool));
    third = open_connection(pool);
    issue_slowly(pool, third, 0.5);
    cly_pools_opened(pool);
    finish(pool); /* canceled before its reply */
    reply(pool, second);
    finish(pool);
    now += 0.01;
    assert_null(choose());
    assert_int_equal(pools->running, 0);
    assert_true(wait > 0 && wait < 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_attempt_goes_alone),
        TEST(a_slow_handshake_gives_the_settings_as_long),
        TEST(a_first_attempt_that_fails_lets_the_next_go),
        TEST_HTTP1(http1_has_one_place_for_each_connection),
        TEST_HTTP1(http1_counts_the_connections_of_retired_pools),
        TEST(a_server_may_turn_out_to_speak_http1),
        TEST(connections_of_two_protocols_retire_their_pool),
        TEST(a_connection_of_no_known_protocol_carries_one_request),
        TEST(streams_are_used_up_and_then_one_opens_another),
        TEST_ONE(no_more_than_max_connections_are_opened),
        TEST_ONE(a_kept_attempt_teaches_the_limit),
        TEST_ONE(the_limit_is_raised_again_by_and_by),
        TEST(a_connection_that_was_not_needed_teaches_the_limit),
        TEST(a_reply_says_that_the_settings_have_come),
        TEST(a_new_connection_takes_what_was_learnt),
        TEST_ONE(the_limit_is_raised_where_libcurl_knows_it),
        TEST(the_newest_connection_may_close),
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
        TEST(requests_without_a_reply_teach_the_limit),
        TEST_HTTP1(of_http1_a_close_teaches_none),
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
        TEST(a_closed_connection_takes_no_streams),
        TEST(one_that_carried_no_request_was_not_counted),
        TEST(a_silent_connection_is_retired_when_a_request_times_out),
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
        TEST(without_a_share_it_is_tried_again),
        TEST(without_memory_for_a_successor_the_current_goes_on),
        TEST(a_connection_that_hangs_is_tried_beside),
        TEST(the_settings_of_the_current_pool_are_waited_for_beside_a_successor),
    };
    return cmocka_run_group_tests_name("core/connect/pools", tests, NULL, NULL);
}
