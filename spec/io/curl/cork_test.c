/* Requests that are written in one round leave together, where that pays, and never
 * stay behind. */
#define _GNU_SOURCE
#include "io/curl/cork.h"

#include "spec/core/test.h"
#include "spec/io/server_support.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static const char *const always_ok[] = {REPLY_OK};
static server answering;
static cly_connections connections;
static cly_pool pool; /* of the connections that are opened */
static cly_cork cork;

static int begin(void **state) {
    (void)state;
    pool = (cly_pool){.protocol = CLY_PROTOCOL_HTTP1};
    cly_connections_init(&connections, false);
    cly_cork_init(&cork, &connections);
    return server_start(&answering, always_ok, 1) ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    server_stop(&answering);
    return 0;
}

static size_t drop(char *bytes, size_t size, size_t count, void *data) {
    (void)bytes;
    (void)data;
    return size * count;
}

static int note_open(void *data, curl_socket_t descriptor, curlsocktype purpose) {
    (void)data, (void)purpose;
    cly_connections_opened(&connections, descriptor, &pool, 30);
    return CURL_SOCKOPT_OK;
}

static CURL *make_handle(void) {
    CURL *easy = curl_easy_init();
    assert_non_null(easy);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, note_open);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, cly_connections_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &connections);
    return easy;
}

/* A handle with a connection that is kept. */
static CURL *connect_one(void) {
    CURL *easy = make_handle();
    curl_easy_setopt(easy, CURLOPT_URL, answering.url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    assert_int_equal(curl_easy_perform(easy), CURLE_OK);
    return easy;
}

static int is_held(curl_socket_t socket) {
#ifdef TCP_CORK
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, &size), 0);
    return value;
#else
    (void)socket;
    return connections.list[0].is_corked;
#endif
}

static void it_holds_and_lets_go(void **state) {
    CURL *easy = connect_one();
    (void)state;
    assert_int_equal(connections.open, 1);
    cly_cork_hold(&cork, 64);
    assert_int_equal(is_held(connections.list[0].descriptor), 1);
    cly_cork_release(&cork);
    assert_int_equal(is_held(connections.list[0].descriptor), 0);
    curl_easy_cleanup(easy);
    assert_int_equal(connections.open, 0);
    assert_int_equal(connections.used, 0);
}

/* A message alone must not wait for anything. */
static void a_few_are_not_worth_it(void **state) {
    CURL *easy = connect_one();
    (void)state;
    for (int requests = 0; requests < 4; requests++) {
        cly_cork_hold(&cork, requests);
        assert_int_equal(is_held(connections.list[0].descriptor), 0);
        cly_cork_release(&cork);
    }
    curl_easy_cleanup(easy);
}

/* A libcurl up to 8.4 drops a reply that comes between a request's head and body. */
static void a_request_is_held_where_replies_can_be_lost(void **state) {
    static const struct {
        bool loses_early_replies, is_http2;
        int requests, is_held;
    } cases[] = {{true, true, 1, 1},  {true, true, 0, 0},  {true, false, 1, 0},
                 {false, true, 1, 0}, {false, true, 3, 0}, {false, true, 4, 1}};
    CURL *easy = connect_one();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cork.loses_early_replies = cases[i].loses_early_replies;
        pool.protocol = cases[i].is_http2 ? CLY_PROTOCOL_HTTP2 : CLY_PROTOCOL_HTTP1;
        cly_cork_hold(&cork, cases[i].requests);
        assert_int_equal(is_held(connections.list[0].descriptor), cases[i].is_held);
        cly_cork_release(&cork);
        assert_int_equal(is_held(connections.list[0].descriptor), 0);
    }
    curl_easy_cleanup(easy);
}

/* A reply can be lost on any number of them. */
static void many_connections_are_left_alone_where_none_can_be_lost(void **state) {
    CURL *easy[CLY_CORK_SOCKETS + 2];
    (void)state;
    pool.protocol = CLY_PROTOCOL_HTTP2;
    for (int i = 0; i < CLY_CORK_SOCKETS + 2; i++) easy[i] = connect_one();
    assert_int_equal(connections.open, CLY_CORK_SOCKETS + 2);
    for (int loses = 0; loses < 2; loses++) {
        cork.loses_early_replies = loses;
        cly_cork_hold(&cork, 1000);
        for (int i = 0; i < connections.used; i++)
            assert_int_equal(is_held(connections.list[i].descriptor), loses);
        cly_cork_release(&cork);
    }
    for (int i = 0; i < CLY_CORK_SOCKETS + 2; i++) curl_easy_cleanup(easy[i]);
    assert_int_equal(connections.open, 0);
    assert_int_equal(connections.used, 0);
}

/* They stay open for a while, more of them than a client may have connections. */
static void retired_connections_are_left_alone(void **state) {
    static cly_pool retired = {.is_retired = true, .protocol = CLY_PROTOCOL_HTTP1};
    CURL *easy[CLY_CORK_SOCKETS + 2];
    int last = CLY_CORK_SOCKETS + 1;
    (void)state;
    for (int i = 0; i <= last; i++) easy[i] = connect_one();
    for (int i = 0; i < last; i++) connections.list[i].pool = &retired;
    cly_cork_hold(&cork, 64);
    for (int i = 0; i <= last; i++) assert_int_equal(is_held(connections.list[i].descriptor), i == last);
    connections.list[last].pool = &retired; /* in the meantime */
    cly_cork_release(&cork);
    assert_int_equal(is_held(connections.list[last].descriptor), 0);
    for (int i = 0; i <= last; i++) curl_easy_cleanup(easy[i]);
}

static void a_retired_one_is_held_while_requests_are_to_leave_on_it(void **state) {
    CURL *easy = connect_one();
    (void)state;
    pool.is_retired = true;
    cly_cork_hold(&cork, 64);
    assert_int_equal(is_held(connections.list[0].descriptor), 0);
    pool.unissued = 1;
    cly_cork_hold(&cork, 64);
    assert_int_equal(is_held(connections.list[0].descriptor), 1);
    cly_cork_release(&cork);
    assert_int_equal(is_held(connections.list[0].descriptor), 0);
    curl_easy_cleanup(easy);
}

static void a_refused_connection_is_forgotten(void **state) {
    CURL *easy = make_handle();
    (void)state;
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/x");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    assert_int_equal(curl_easy_perform(easy), CURLE_COULDNT_CONNECT);
    assert_int_equal(connections.open, 0);
    assert_int_equal(connections.used, 0);
    curl_easy_cleanup(easy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_holds_and_lets_go),
        TEST(a_few_are_not_worth_it),
        TEST(a_request_is_held_where_replies_can_be_lost),
        TEST(many_connections_are_left_alone_where_none_can_be_lost),
        TEST(retired_connections_are_left_alone),
        TEST(a_retired_one_is_held_while_requests_are_to_leave_on_it),
        TEST(a_refused_connection_is_forgotten),
    };
    return cmocka_run_group_tests_name("io/curl/cork", tests, NULL, NULL);
}
