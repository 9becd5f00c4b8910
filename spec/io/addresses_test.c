/* A name with two addresses, of which the first drops what is sent to it: the second is
 * reached within connect_timeout, and within the time that the call has. */
#define _GNU_SOURCE
#include "io/engine.h"

#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include "spec/io/options_support.h"
#include "spec/io/server_support.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILLERS = 4 };

static server answering;
static uint16_t port;
static int held[FILLERS + 1]; /* the listener of the first address, and what fills it */

/* In place of the C library's, which libcurl asks: both addresses, for every name. */
static struct sockaddr_in addresses[2];
static struct addrinfo found[2];

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
    (void)name, (void)service, (void)hints;
    for (int i = 0; i < 2; i++) {
        found[i] = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_protocol = IPPROTO_TCP,
                                     .ai_addrlen = sizeof addresses[i],
                                     .ai_addr = (struct sockaddr *)&addresses[i],
                                     .ai_next = i == 0 ? &found[1] : NULL};
    }
    *list = found;
    return 0;
}

void freeaddrinfo(struct addrinfo *list) {
    (void)list;
}

static struct sockaddr_in address_of(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

/* Nobody accepts there, and its queue is full: the kernel drops what else comes. */
static bool drop_at(const struct sockaddr_in *address) {
    held[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(held[0], (const struct sockaddr *)address, sizeof *address) != 0 || listen(held[0], 0) != 0)
        return false;
    for (int i = 1; i <= FILLERS; i++) {
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(held[i], (const struct sockaddr *)address, sizeof *address);
    }
    return true;
}

/* The server's port must be free at the other address, too. */
static bool open_both(void) {
    static const char *const replies[] = {REPLY_OK};
    if (!server_start(&answering, replies, 1)) return false;
    port = (uint16_t)strtol(strrchr(answering.url, ':') + 1, NULL, 10);
    addresses[0] = address_of("127.0.0.2");
    addresses[1] = address_of("127.0.0.1");
    return drop_at(&addresses[0]);
}

static void close_both(void) {
    server_stop(&answering);
    for (int i = 0; i <= FILLERS; i++) {
        if (held[i] > 0) close(held[i]);
        held[i] = 0;
    }
}

static int begin(void **state) {
    (void)state;
    for (int tries = 0; tries < 10; tries++) {
        if (open_both()) return 0;
        close_both();
    }
    return -1;
}

static int end(void **state) {
    (void)state;
    close_both();
    return 0;
}

static void send_one(double connect_timeout, double timeout) {
    cly_engine_options options = options_on_loopback(1, 1);
    cly_engine *engine;
    cly_ticket ticket = 0;
    cly_error error;
    char url[64];
    options.settings.connect_timeout = connect_timeout;
    snprintf(url, sizeof url, "http://two.example:%d/", port);
    assert_int_equal(cly_engine_new(&engine, &options, &error), CLY_OK);
    assert_int_equal(call_submit(cly_engine_calls(engine), call_submission(url, timeout), &ticket, NULL),
                     CLY_OK);
    call_finish(engine, ticket, timeout + 5);
    error = call_result(cly_engine_calls(engine), ticket).call->error;
    if (error.kind != CLY_OK) print_message("%s\n", error.message);
    assert_int_equal(error.kind, CLY_OK);
    assert_int_equal(server_requests(&answering), 1);
    cly_engine_free(engine);
}

static void the_second_address_is_tried_within_connect_timeout(void **state) {
    (void)state;
    send_one(3, 30);
}

static void the_second_address_is_tried_within_timeout(void **state) {
    (void)state;
    send_one(30, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_address_is_tried_within_connect_timeout, begin, end),
        cmocka_unit_test_setup_teardown(the_second_address_is_tried_within_timeout, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
