/* What is written in one round leaves together, where that pays, and never stays
 * behind. */
#define _GNU_SOURCE
#include "io/cork.h"

#include "spec/core/test.h"
#include "spec/io/server_support.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static const char *const always_ok[] = {REPLY_OK};
static server answering;
static cly_sockets sockets;
static cly_cork cork;

static int begin(void **state) {
    static const cly_sockets none = {0};
    (void)state;
    sockets = none;
    cork.sockets = &sockets;
    cork.is_held = false;
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

/* A handle with a connection that is kept. */
static CURL *connect_one(void) {
    CURL *easy = curl_easy_init();
    assert_non_null(easy);
    assert_true(cly_sockets_watch(&sockets, easy));
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
    return cork.is_held;
#endif
}

static void it_holds_and_lets_go(void **state) {
    CURL *easy = connect_one();
    (void)state;
    assert_int_equal(sockets.open, 1);
    cly_cork_hold(&cork, 64);
    assert_int_equal(is_held(sockets.list[0].descriptor), 1);
    cly_cork_release(&cork);
    assert_int_equal(is_held(sockets.list[0].descriptor), 0);
    assert_false(cork.is_held);
    curl_easy_cleanup(easy);
    assert_int_equal(sockets.open, 0);
    assert_int_equal(sockets.known, 0);
}

/* A message alone must not wait for anything. */
static void a_few_are_not_worth_it(void **state) {
    CURL *easy = connect_one();
    (void)state;
    for (int requests = 0; requests < 4; requests++) {
        cly_cork_hold(&cork, requests);
        assert_int_equal(is_held(sockets.list[0].descriptor), 0);
        cly_cork_release(&cork);
    }
    curl_easy_cleanup(easy);
}

static void many_connections_are_left_alone(void **state) {
    CURL *easy[CLY_CORK_SOCKETS + 2];
    (void)state;
    for (int i = 0; i < CLY_CORK_SOCKETS + 2; i++) easy[i] = connect_one();
    assert_int_equal(sockets.open, CLY_CORK_SOCKETS + 2);
    cly_cork_hold(&cork, 1000);
    for (int i = 0; i < sockets.known; i++) assert_int_equal(is_held(sockets.list[i].descriptor), 0);
    for (int i = 0; i < CLY_CORK_SOCKETS + 2; i++) curl_easy_cleanup(easy[i]);
    assert_int_equal(sockets.open, 0);
    assert_int_equal(sockets.known, 0);
}

static void a_refused_connection_is_forgotten(void **state) {
    CURL *easy = curl_easy_init();
    (void)state;
    assert_true(cly_sockets_watch(&sockets, easy));
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/x");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    assert_int_equal(curl_easy_perform(easy), CURLE_COULDNT_CONNECT);
    assert_int_equal(sockets.open, 0);
    assert_int_equal(sockets.known, 0);
    curl_easy_cleanup(easy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_holds_and_lets_go),
        TEST(a_few_are_not_worth_it),
        TEST(many_connections_are_left_alone),
        TEST(a_refused_connection_is_forgotten),
    };
    return cmocka_run_group_tests_name("io/cork", tests, NULL, NULL);
}
