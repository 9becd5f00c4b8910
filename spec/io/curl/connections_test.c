/* The table of connections, on descriptors that the tests open themselves. */
#define _GNU_SOURCE /* usleep */
#include "io/curl/connections.h"

#include "io/system/clock.h"
#include "spec/core/test.h"
#include "spec/io/server_support.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE = 30 };

static cly_connections *connections; /* on the heap, where ASan guards it */
static CURL *easy;
static int listener, listener_port;
static cly_pool pool, other;

static int begin(void **state) {
    char url[64];
    (void)state;
    memset(&pool, 0, sizeof pool);
    memset(&other, 0, sizeof other);
    connections = malloc(sizeof *connections);
    if (connections == NULL) return -1;
    cly_connections_init(connections, false);
    easy = curl_easy_init();
    listener = server_listen(url, sizeof url);
    listener_port = atoi(strrchr(url, ':') + 1);
    return easy && listener >= 0 ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    for (int i = 0; i < connections->used; i++)
        if (connections->list[i].descriptor >= 0)
            cly_connections_close(connections, connections->list[i].descriptor);
    assert_int_equal(connections->open, 0);
    assert_int_equal(connections->used, 0);
    curl_easy_cleanup(easy);
    free(connections);
    return close(listener);
}

static struct sockaddr_in address_of(const char *host, int port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
}

/* From this address and port, 0 for any; the peer's side in `*peer`. */
static int connect_from(const char *host, int port, int *peer) {
    struct sockaddr_in local = address_of(host, port), remote = address_of("127.0.0.1", listener_port);
    int made = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(made >= 0);
    assert_int_equal(bind(made, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(connect(made, (struct sockaddr *)&remote, sizeof remote), 0);
    *peer = accept(listener, NULL, NULL);
    assert_true(*peer >= 0);
    return made;
}

static int port_of(int descriptor) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

/* As libcurl opens one for the pool; its descriptor. */
static int open_one(cly_pool *of, int *peer) {
    int descriptor = connect_from("127.0.0.1", 0, peer);
    cly_connections_opened(connections, descriptor, of, PATIENCE);
    return descriptor;
}

static cly_connection *find(const cly_pool *of, int descriptor) {
    return cly_connections_find(connections, of, port_of(descriptor));
}

static void wait_until_readable(int descriptor) {
    struct pollfd watched = {descriptor, POLLIN, 0};
    assert_int_equal(poll(&watched, 1, 10000), 1);
}

static void say(int peer, int listening) {
    assert_int_equal(send(peer, "x", 1, 0), 1);
    wait_until_readable(listening);
}

/* ---- which one ---- */

static void a_connection_is_found_by_its_port(void **state) {
    int peers[3], descriptors[3];
    (void)state;
    for (int i = 0; i < 3; i++) descriptors[i] = open_one(&pool, &peers[i]);
    for (int i = 2; i >= 0; i--) {
        assert_ptr_equal(find(&pool, descriptors[i]), &connections->list[i]);
        assert_int_equal(connections->list[i].descriptor, descriptors[i]);
        assert_ptr_equal(find(&pool, descriptors[i]), &connections->list[i]); /* and again */
        assert_null(find(&other, descriptors[i]));
    }
    assert_null(cly_connections_find(connections, &pool, listener_port));
    assert_null(cly_connections_find(connections, &pool, 0));
    assert_null(cly_connections_find(connections, &pool, -1));
    for (int i = 0; i < 3; i++) close(peers[i]);
}

/* libcurl tells of a socket before it connects it. */
static void the_port_may_come_later(void **state) {
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), peer;
    struct sockaddr_in remote = address_of("127.0.0.1", listener_port);
    (void)state;
    cly_connections_opened(connections, descriptor, &pool, PATIENCE);
    assert_null(cly_connections_find(connections, &pool, 12345));
    assert_int_equal(connect(descriptor, (struct sockaddr *)&remote, sizeof remote), 0);
    peer = accept(listener, NULL, NULL);
    assert_ptr_equal(find(&pool, descriptor), &connections->list[0]);
    close(peer);
}

static void a_port_is_of_the_connection_that_has_it_now(void **state) {
    int peer, descriptor = open_one(&pool, &peer), port = port_of(descriptor);
    (void)state;
    find(&pool, descriptor)->use.requests = 7;
    cly_connections_close(connections, descriptor);
    close(peer);
    assert_null(cly_connections_find(connections, &pool, port));
    descriptor = open_one(&other, &peer);
    assert_null(cly_connections_find(connections, &pool, port_of(descriptor)));
    assert_int_equal(find(&other, descriptor)->use.requests, 0);
    close(peer);
}

/* From two addresses. A request that leaves on no spoilt one is the safe side. */
static void of_two_with_one_port_it_is_the_one_with_bytes(void **state) {
    int peers[2], descriptors[2];
    (void)state;
    descriptors[0] = open_one(&pool, &peers[0]);
    descriptors[1] = connect_from("127.0.0.2", port_of(descriptors[0]), &peers[1]);
    cly_connections_opened(connections, descriptors[1], &pool, PATIENCE);
    assert_int_equal(port_of(descriptors[0]), port_of(descriptors[1]));
    assert_ptr_equal(find(&pool, descriptors[0]), &connections->list[0]);
    say(peers[1], descriptors[1]);
    assert_ptr_equal(find(&pool, descriptors[0]), &connections->list[1]);
    for (int i = 0; i < 2; i++) close(peers[i]);
}

/* ---- counting ---- */

static void open_ones_are_counted(void **state) {
    int peers[3], descriptors[3];
    (void)state;
    for (int i = 0; i < 3; i++) descriptors[i] = open_one(&pool, &peers[i]);
    assert_int_equal(connections->open, 3);
    assert_int_equal(connections->used, 3);
    cly_connections_close(connections, descriptors[1]);
    assert_int_equal(connections->open, 2);
    assert_int_equal(connections->used, 3);
    close(peers[1]);
    descriptors[1] = open_one(&pool, &peers[1]); /* in the free place */
    assert_int_equal(connections->used, 3);
    cly_connections_close(connections, descriptors[1]);
    cly_connections_close(connections, descriptors[2]);
    assert_int_equal(connections->open, 1);
    assert_int_equal(connections->used, 1);
    for (int i = 0; i < 3; i++) close(peers[i]);
}

/* Those that carried a request, and no others. */
static void a_pool_hears_of_the_end_of_its_connections(void **state) {
    int peers[3], descriptors[3];
    (void)state;
    for (int i = 0; i < 3; i++) descriptors[i] = open_one(&pool, &peers[i]);
    pool.standing = 2;
    for (int i = 0; i < 2; i++) connections->list[i].use.requests = 1;
    cly_connections_close(connections, descriptors[2]);
    assert_int_equal(pool.standing, 2);
    cly_connections_close(connections, descriptors[0]);
    assert_int_equal(pool.standing, 1);
    cly_connections_close_share(connections, &other);
    assert_ptr_equal(find(&pool, descriptors[1]), &connections->list[1]);
    cly_connections_close_share(connections, &pool); /* the pool is gone */
    cly_connections_close(connections, descriptors[1]);
    assert_int_equal(pool.standing, 1);
    for (int i = 0; i < 3; i++) close(peers[i]);
}

/* They work as ever, but are not known. */
static void more_than_there_is_room_for_do_no_harm(void **state) {
    enum { NO_DESCRIPTOR = 1000000, EXTRA = 10 };
    (void)state;
    for (int i = 0; i < CLY_CONNECTIONS_MAX + EXTRA; i++)
        cly_connections_opened(connections, NO_DESCRIPTOR + i, &pool, PATIENCE);
    assert_int_equal(connections->open, CLY_CONNECTIONS_MAX + EXTRA);
    assert_int_equal(connections->used, CLY_CONNECTIONS_MAX);
    for (int i = 0; i < CLY_CONNECTIONS_MAX + EXTRA; i++)
        cly_connections_close(connections, NO_DESCRIPTOR + i);
    assert_int_equal(connections->open, 0);
    assert_int_equal(connections->used, 0);
}

static void those_that_the_peer_has_not_ended_are_alive(void **state) {
    int peers[4], descriptors[4];
    (void)state;
    for (int i = 0; i < 4; i++) descriptors[i] = open_one(i == 3 ? &other : &pool, &peers[i]);
    assert_int_equal(cly_connections_alive(connections, &pool), 0); /* they carried nothing */
    for (int i = 0; i < 4; i++) connections->list[i].use.requests = 1;
    assert_int_equal(cly_connections_alive(connections, &pool), 3);
    close(peers[0]);
    wait_until_readable(descriptors[0]);
    assert_int_equal(cly_connections_alive(connections, &pool), 2);
    cly_connections_close(connections, descriptors[1]);
    assert_int_equal(cly_connections_alive(connections, &pool), 1);
    assert_int_equal(cly_connections_alive(connections, &other), 1);
    for (int i = 1; i < 4; i++) close(peers[i]);
}

/* ---- the socket ---- */

static void no_program_that_is_started_inherits_it(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    (void)state;
    assert_true(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
    close(peer);
}

static void the_kernel_gives_up_in_time(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    (void)state;
#if defined(TCP_USER_TIMEOUT)
    unsigned milliseconds = 0;
    socklen_t length = sizeof milliseconds;
    assert_int_equal(getsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, &length), 0);
    assert_int_equal(milliseconds, PATIENCE * 1000);
#endif
    assert_true(descriptor >= 0);
    close(peer);
}

/* ---- spoilt ones ---- */

static void bytes_or_an_end_before_a_request_spoil_it(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    cly_connection *known = find(&pool, descriptor);
    char byte;
    (void)state;
    known->use.protocol = CLY_PROTOCOL_HTTP1;
    assert_false(cly_connections_is_spoilt(connections, known, easy));
    say(peer, descriptor);
    assert_true(cly_connections_is_spoilt(connections, known, easy));
    assert_int_equal(recv(descriptor, &byte, 1, 0), 1);
    assert_false(cly_connections_is_spoilt(connections, known, easy));
    close(peer);
    wait_until_readable(descriptor);
    assert_true(cly_connections_is_spoilt(connections, known, easy));
}

/* A server of HTTP/2 may say something at any time, and a new one of TLS does. */
static void only_one_that_spoke_http1_can_be_spoilt(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    cly_connection *known = find(&pool, descriptor);
    (void)state;
    say(peer, descriptor);
    assert_false(cly_connections_is_spoilt(connections, known, easy));
    assert_false(cly_connections_is_spoilt(connections, NULL, easy));
    close(peer);
}

static void the_tls_of_a_proxy_may_hide_bytes(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    cly_connection *known = find(&pool, descriptor);
    (void)state;
    known->use.protocol = CLY_PROTOCOL_HTTP1;
    assert_false(cly_connections_is_spoilt(connections, known, easy));
    assert_false(cly_connections_hides_bytes(connections, easy));
    connections->has_tls_proxy = true;
    assert_true(cly_connections_is_spoilt(connections, known, easy));
    assert_true(cly_connections_hides_bytes(connections, easy));
    close(peer);
}

static void without_tls_no_protocol_was_agreed_on(void **state) {
    (void)state;
    assert_int_equal(cly_connections_protocol(connections, easy), CLY_PROTOCOL_UNKNOWN);
}

/* ---- room ---- */

/* Until the kernel takes no more. */
static void fill(int descriptor) {
    static const char bytes[64 * 1024];
    while (send(descriptor, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

static void drain(int peer, int descriptor) {
    static char bytes[64 * 1024];
    struct pollfd watched = {descriptor, POLLOUT, 0};
    while (poll(&watched, 1, 0) == 0) assert_true(recv(peer, bytes, sizeof bytes, 0) > 0);
}

static void a_full_connection_has_no_room(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    cly_connection *known = &connections->list[0];
    (void)state;
    assert_true(cly_connections_has_room(known, 100));
    fill(descriptor);
    cly_connections_next_turn(connections);
    for (int i = 0; i < 10; i++) assert_false(cly_connections_has_room(known, 100));
    drain(peer, descriptor);
    assert_true(cly_connections_has_room(known, 100));
    assert_true(cly_connections_has_room(NULL, 100));
    close(peer);
}

/* The kernel is asked for each 16 KiB, and at the beginning of each turn. */
static void room_is_asked_for_now_and_then(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    cly_connection *known = &connections->list[0];
    (void)state;
    assert_true(cly_connections_has_room(known, 1000));
    fill(descriptor);
    for (int i = 0; i < 14; i++) assert_true(cly_connections_has_room(known, 1000));
    for (int i = 0; i < 3; i++) assert_false(cly_connections_has_room(known, 2000));
    drain(peer, descriptor);
    assert_true(cly_connections_has_room(known, 100 * 1024)); /* a large one is asked for too */
    fill(descriptor);
    assert_false(cly_connections_has_room(known, 1));
    close(peer);
}

/* ---- silence ---- */

static const double precision = 0.02; /* of the kernel's account */

static void the_peers_last_byte_ends_its_silence(void **state) {
    int peer, descriptor = open_one(&pool, &peer);
    cly_connection *known = find(&pool, descriptor);
    double before, since = cly_clock_now();
    (void)state;
    usleep(100 * 1000);
    assert_true(cly_connections_silence(known, since, cly_clock_now()) >= 0.1 - precision);
    before = cly_clock_now();
    say(peer, descriptor);
#if defined(__linux__)
    assert_true(cly_connections_silence(known, since, cly_clock_now()) <=
                cly_clock_now() - before + precision);
#endif
    assert_int_equal(send(descriptor, "y", 1, 0), 1); /* what we say does not count */
    usleep(100 * 1000);
    assert_true(cly_connections_silence(known, since, cly_clock_now()) >= 0.1 - precision);
    close(peer);
}

/* Of one that is not known, and where the system does not tell. */
static void otherwise_it_is_counted_from_the_start(void **state) {
    int pair[2];
    (void)state;
    assert_true(cly_connections_silence(NULL, 10, 13) == 3);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    cly_connections_opened(connections, pair[0], &pool, PATIENCE);
    assert_true(cly_connections_silence(&connections->list[0], 10, 13) == 3);
    connections->list[0].heard_at = 12;
    assert_true(cly_connections_silence(&connections->list[0], 10, 13) == 1);
    connections->list[0].heard_at = 5; /* before it */
    assert_true(cly_connections_silence(&connections->list[0], 10, 13) == 3);
    close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_connection_is_found_by_its_port),
        TEST(the_port_may_come_later),
        TEST(a_port_is_of_the_connection_that_has_it_now),
        TEST(of_two_with_one_port_it_is_the_one_with_bytes),
        TEST(open_ones_are_counted),
        TEST(a_pool_hears_of_the_end_of_its_connections),
        TEST(more_than_there_is_room_for_do_no_harm),
        TEST(those_that_the_peer_has_not_ended_are_alive),
        TEST(no_program_that_is_started_inherits_it),
        TEST(the_kernel_gives_up_in_time),
        TEST(bytes_or_an_end_before_a_request_spoil_it),
        TEST(only_one_that_spoke_http1_can_be_spoilt),
        TEST(the_tls_of_a_proxy_may_hide_bytes),
        TEST(without_tls_no_protocol_was_agreed_on),
        TEST(a_full_connection_has_no_room),
        TEST(room_is_asked_for_now_and_then),
        TEST(the_peers_last_byte_ends_its_silence),
        TEST(otherwise_it_is_counted_from_the_start),
    };
    return cmocka_run_group_tests_name("io/curl/connections", tests, NULL, NULL);
}
