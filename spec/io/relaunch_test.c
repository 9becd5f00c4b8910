/* An attempt that is made again at once, because its kept connection had bytes on it, and
 * that is ended before libcurl has its next turn. */
#define _GNU_SOURCE
#include "io/engine.h"

#include "io/system/clock.h"
#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include "spec/io/clock_support.h"
#include "spec/io/options_support.h"
#include "spec/io/server_support.h"
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS_MOST = 64, WATCHDOG = 20 /* seconds */ };

static cly_engine *engine;
static cly_ticket second;
static void (*at_spoilt)(void); /* called once, when the kept connection is found spoilt */
static bool is_found;           /* by the engine: some versions of libcurl look before it can */

/* In place of the C library's: how the engine asks whether a kept connection has bytes. */
int poll(struct pollfd *watched, nfds_t count, int timeout) {
    struct timespec time = {timeout / 1000, (timeout % 1000) * 1000000L};
    int ready = (int)syscall(SYS_ppoll, watched, count, timeout < 0 ? NULL : &time, NULL, 0);
    bool is_look = count == 1 && timeout == 0 && watched[0].events == POLLIN;
    if (at_spoilt && is_look && ready > 0) {
        void (*act)(void) = at_spoilt;
        at_spoilt = NULL;
        act();
    }
    return ready;
}

static cly_ticket submit(const char *url) {
    cly_ticket ticket = 0;
    assert_int_equal(call_submit(cly_engine_calls(engine), call_submission(url, 5), &ticket, NULL), CLY_OK);
    return ticket;
}

/* A step that does not return ends the program, and so do steps without end. */
static void step_until_done(cly_ticket ticket) {
    alarm(WATCHDOG);
    while (!cly_call_table_is_done(cly_engine_calls(engine), ticket))
        cly_engine_step(engine, 0, 0.1, NULL, 0);
    alarm(0);
}

static bool has_bytes(int descriptor) {
    char byte;
    return recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Until the late bytes lie on the kept connection: no other socket here has any unread. */
static void wait_for_bytes(void) {
    double until = cly_clock_now() + WATCHDOG;
    for (int descriptor = 0; !has_bytes(descriptor); descriptor = (descriptor + 1) % DESCRIPTORS_MOST)
        assert_true(cly_clock_now() < until);
}

static cly_error end_after(void (*act)(void)) {
    static const char *const replies[] = {REPLY_OK LATER "HTTP/1.1 200 OK\r\n", REPLY_OK};
    const cly_engine_options options = options_on_loopback(3, 3);
    static server answering; /* server_serve stops the last one */
    cly_error error;
    server_serve(&answering, replies, 2);
    assert_int_equal(cly_engine_new(&engine, &options, &error), CLY_OK);
    step_until_done(submit(answering.url));
    wait_for_bytes();
    second = submit(answering.url);
    at_spoilt = act;
    step_until_done(second);
    is_found = at_spoilt == NULL;
    at_spoilt = NULL;
    error = call_result(cly_engine_calls(engine), second).call->error;
    assert_int_equal(server_requests(&answering), is_found ? 1 : 2);
    cly_engine_free(engine);
    server_stop(&answering);
    return error;
}

static void cancel(void) {
    cly_call_table_cancel(cly_engine_calls(engine), second);
}

static void pass_time(void) {
    clock_skip(10);
}

static void a_cancel_ends_it(void **state) {
    cly_error error = end_after(cancel);
    (void)state;
    assert_int_equal(error.kind, is_found ? CLY_CANCELED : CLY_OK);
    if (is_found) assert_int_equal(error.outcome, CLY_NOT_SENT);
}

static void its_deadline_ends_it(void **state) {
    cly_error error = end_after(pass_time);
    (void)state;
    assert_int_equal(error.kind, is_found ? CLY_TIMEOUT : CLY_OK);
    if (is_found) assert_int_equal(error.outcome, CLY_NOT_SENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_ends_it),
        cmocka_unit_test(its_deadline_ends_it),
    };
    return cmocka_run_group_tests_name("io/relaunch", tests, NULL, NULL);
}
