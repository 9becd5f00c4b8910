/* The engine's tickets and slots, against a port that takes connections and
 * never answers; what servers answer is the Lua specs' matter. */
#define _POSIX_C_SOURCE 200809L
#include "io/engine.h"

#include "io/clock.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 3 };

static int listener;
static char url[64];
static cly_engine *engine;
static cly_trust trust;

/* Opens a free port and says its URL; the socket, or -1. */
static int listen_at(char *where, size_t room) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int made = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(made, (struct sockaddr *)&address, length) || listen(made, 64)) return -1;
    if (getsockname(made, (struct sockaddr *)&address, &length)) return -1;
    snprintf(where, room, "http://127.0.0.1:%d/x", ntohs(address.sin_port));
    return made;
}

/* The kernel takes connections into the backlog; nobody looks at them. */
static int listen_silently(void **state) {
    (void)state;
    listener = listen_at(url, sizeof url);
    return listener < 0 ? -1 : 0;
}

static int stop_listening(void **state) {
    (void)state;
    return close(listener);
}

static int begin(void **state) {
    cly_engine_options options = {0};
    cly_error error;
    (void)state;
    trust.is_default = true;
    options.settings.user_agent = "spec";
    options.settings.proxy = options.settings.no_proxy = "";
    options.settings.trust = &trust;
    options.settings.connect_timeout = 5;
    options.settings.is_plain = true;
    options.secret = "key";
    options.max_in_flight = ROOM;
    options.max_connections = ROOM;
    cly_error_clear(&error);
    return cly_engine_new(&engine, &options, &error) == CLY_OK ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    cly_engine_free(engine);
    engine = NULL;
    return 0;
}

static cly_kind submit_to(const char *where, double timeout, cly_ticket *ticket, cly_error *error) {
    cly_submission submission = {NULL, "POST", NULL, NULL, 0};
    cly_buffer body;
    cly_kind kind;
    cly_buffer_init(&body, 1024);
    cly_buffer_text(&body, "{}");
    submission.operation = cly_operation_find("send_template", 13);
    submission.url = where;
    submission.body = &body;
    submission.timeout = timeout;
    cly_error_clear(error);
    kind = cly_engine_submit(engine, ticket, &submission, cly_clock_now(), error);
    cly_buffer_clear(&body);
    return kind;
}

static cly_ticket submit(double timeout) {
    cly_ticket ticket = 0;
    cly_error error;
    assert_int_equal(submit_to(url, timeout, &ticket, &error), CLY_OK);
    assert_true(ticket != 0);
    return ticket;
}

static void step_for(double seconds) {
    double until = cly_clock_now() + seconds;
    while (cly_clock_now() < until) cly_engine_step(engine, 0.01);
}

static const cly_error *error_of(cly_ticket ticket) {
    const cly_call *call = cly_engine_call(engine, ticket);
    assert_non_null(call);
    assert_true(cly_engine_is_done(engine, ticket));
    return &call->error;
}

static void a_new_engine_has_nothing_to_do(void **state) {
    double before = cly_clock_now();
    (void)state;
    cly_engine_step(engine, 5);
    assert_true(cly_clock_now() - before < 1);
    assert_int_equal(cly_engine_in_flight(engine), 0);
    assert_true(cly_engine_first_done(engine) == 0);
    assert_false(cly_engine_is_done(engine, 0));
    assert_null(cly_engine_call(engine, 0));
}

static void a_reply_that_never_comes_is_unknown(void **state) {
    cly_ticket ticket = submit(0.3);
    (void)state;
    assert_int_equal(cly_engine_in_flight(engine), 1);
    assert_false(cly_engine_is_done(engine, ticket));
    step_for(0.6);
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_int_equal(cly_engine_in_flight(engine), 0);
    assert_true(cly_engine_first_done(engine) == ticket);
}

static void a_port_that_nobody_has_is_not_sent(void **state) {
    cly_ticket ticket;
    cly_error error;
    (void)state;
    assert_int_equal(submit_to("http://127.0.0.1:1/x", 5, &ticket, &error), CLY_OK);
    step_for(0.2);
    assert_int_equal(error_of(ticket)->kind, CLY_NETWORK);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
}

static void a_scheme_that_is_not_wanted_is_not_sent(void **state) {
    static const char *const others[] = {"https://127.0.0.1:1/x", "file:///etc/passwd", "ftp://127.0.0.1/x",
                                         "", "::"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cly_ticket ticket;
        cly_error error;
        assert_int_equal(submit_to(others[i], 5, &ticket, &error), CLY_OK);
        step_for(0.05);
        check_case(error_of(ticket)->outcome == CLY_NOT_SENT, others[i]);
        cly_engine_release(engine, ticket);
    }
}

static void no_more_than_max_in_flight_are_taken(void **state) {
    cly_ticket tickets[ROOM], more = 77;
    cly_error error;
    (void)state;
    for (int i = 0; i < ROOM; i++) tickets[i] = submit(30);
    assert_int_equal(submit_to(url, 30, &more, &error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_true(more == 77);
    assert_int_equal(cly_engine_in_flight(engine), ROOM);
    cly_engine_release(engine, tickets[1]);
    more = submit(30);
    assert_true(more != tickets[1]);
    assert_int_equal(cly_engine_in_flight(engine), ROOM);
}

static void one_that_is_done_holds_its_slot_until_released(void **state) {
    cly_ticket tickets[ROOM], more;
    cly_error error;
    (void)state;
    for (int i = 0; i < ROOM; i++) tickets[i] = submit(30);
    cly_engine_cancel(engine, tickets[0], cly_clock_now());
    assert_int_equal(submit_to(url, 30, &more, &error), CLY_OVERLOADED);
    cly_engine_release(engine, tickets[0]);
    submit(30);
}

static void a_ticket_is_good_once(void **state) {
    cly_ticket old = submit(30), fresh;
    (void)state;
    cly_engine_release(engine, old);
    fresh = submit(30);
    assert_true(old != fresh);
    assert_null(cly_engine_call(engine, old));
    assert_null(cly_engine_transfer(engine, old));
    assert_false(cly_engine_is_done(engine, old));
    cly_engine_cancel(engine, old, cly_clock_now());
    cly_engine_release(engine, old);
    assert_int_equal(cly_engine_in_flight(engine), 1);
    assert_non_null(cly_engine_call(engine, fresh));
}

static void tickets_that_never_were_are_none(void **state) {
    const cly_ticket odd[] = {0, 1, ROOM, 65535, (cly_ticket)1 << 16, UINT64_MAX, (cly_ticket)1 << 63};
    cly_ticket real = submit(30);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        if (odd[i] == real) continue;
        assert_null(cly_engine_call(engine, odd[i]));
        cly_engine_cancel(engine, odd[i], 0);
        cly_engine_release(engine, odd[i]);
    }
    assert_int_equal(cly_engine_in_flight(engine), 1);
}

static void tickets_are_never_used_again(void **state) {
    cly_ticket last = 0;
    (void)state;
    for (int i = 0; i < 200; i++) {
        cly_ticket ticket = submit(30);
        assert_true(ticket != last && ticket < (cly_ticket)1 << 53);
        cly_engine_release(engine, ticket);
        last = ticket;
    }
}

static void a_cancel_before_a_byte_left_is_not_sent(void **state) {
    cly_ticket ticket = submit(30);
    (void)state;
    cly_engine_cancel(engine, ticket, cly_clock_now());
    assert_int_equal(error_of(ticket)->kind, CLY_CANCELED);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
}

static void a_cancel_after_bytes_left_is_unknown(void **state) {
    cly_ticket ticket = submit(30);
    (void)state;
    step_for(0.2);
    cly_engine_cancel(engine, ticket, cly_clock_now());
    assert_int_equal(error_of(ticket)->kind, CLY_CANCELED);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    cly_engine_cancel(engine, ticket, cly_clock_now()); /* and once more */
    assert_int_equal(cly_engine_in_flight(engine), 0);
}

static void those_done_come_in_the_order_of_their_end(void **state) {
    cly_ticket first = submit(30), second = submit(30), third = submit(30);
    (void)state;
    cly_engine_cancel(engine, second, 1);
    cly_engine_cancel(engine, third, 1);
    cly_engine_cancel(engine, first, 1);
    assert_true(cly_engine_first_done(engine) == second);
    cly_engine_release(engine, third); /* from the middle */
    cly_engine_release(engine, second);
    assert_true(cly_engine_first_done(engine) == first);
    cly_engine_release(engine, first);
    assert_true(cly_engine_first_done(engine) == 0);
}

static void no_time_is_no_attempt(void **state) {
    cly_ticket ticket = submit(0);
    (void)state;
    assert_int_equal(error_of(ticket)->kind, CLY_TIMEOUT);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
    assert_int_equal(error_of(ticket)->attempts, 0);
}

static void an_url_without_end_is_not_sent(void **state) {
    static char endless[70 * 1024];
    cly_ticket ticket;
    cly_error error;
    (void)state;
    memset(endless, 'x', sizeof endless - 1);
    assert_int_equal(submit_to(endless, 5, &ticket, &error), CLY_OK);
    assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
}

/* `end` frees the engine with calls connecting, sent and done. */
static void an_engine_may_be_freed_in_the_middle(void **state) {
    (void)state;
    submit(30);
    cly_engine_cancel(engine, submit(30), cly_clock_now());
    step_for(0.05);
    submit(30);
}

static void null_may_be_freed(void **state) {
    (void)state;
    cly_engine_free(NULL);
    cly_engine_abandon(NULL);
}

/* ---- memory ---- */

/* Ours alone: libcurl's own does not go through the linker's wrapping. */
static void every_allocation_of_a_call_may_fail(void **state) {
    long live = memory_live();
    bool has_failed = true;
    for (long n = 0; has_failed; n++) {
        cly_ticket ticket = 0;
        cly_error error;
        memory_fail(n, MEMORY_FAILS_FROM_THEN_ON);
        if (begin(state) == 0) {
            if (submit_to("http://127.0.0.1:1/x", 5, &ticket, &error) == CLY_OK) step_for(0.02);
            memory_restore();
            if (ticket) assert_int_equal(error_of(ticket)->outcome, CLY_NOT_SENT);
            end(state);
        }
        has_failed = memory_restore();
        assert_int_equal(memory_live(), live);
    }
}

/* A success whose body has no room: it came, so nobody may say it did not, and it
 * was not too large. */
static void a_reply_without_memory_is_unknown(void **state) {
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}";
    char where[64];
    int port = listen_at(where, sizeof where), peer;
    cly_ticket ticket = 0;
    cly_error error;
    (void)state;
    assert_true(port >= 0);
    assert_int_equal(submit_to(where, 5, &ticket, &error), CLY_OK);
    step_for(0.1);
    peer = accept(port, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(write(peer, reply, sizeof reply - 1), sizeof reply - 1);
    memory_fail(0, MEMORY_FAILS_ONCE);
    step_for(0.2);
    assert_true(memory_restore());
    assert_int_equal(error_of(ticket)->kind, CLY_NETWORK);
    assert_int_equal(error_of(ticket)->outcome, CLY_UNKNOWN);
    assert_non_null(strstr(error_of(ticket)->message, "not enough memory for the reply"));
    close(peer);
    close(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_engine_has_nothing_to_do),
        TEST(a_reply_that_never_comes_is_unknown),
        TEST(a_port_that_nobody_has_is_not_sent),
        TEST(a_scheme_that_is_not_wanted_is_not_sent),
        TEST(no_more_than_max_in_flight_are_taken),
        TEST(one_that_is_done_holds_its_slot_until_released),
        TEST(a_ticket_is_good_once),
        TEST(tickets_that_never_were_are_none),
        TEST(tickets_are_never_used_again),
        TEST(a_cancel_before_a_byte_left_is_not_sent),
        TEST(a_cancel_after_bytes_left_is_unknown),
        TEST(those_done_come_in_the_order_of_their_end),
        TEST(no_time_is_no_attempt),
        TEST(an_url_without_end_is_not_sent),
        TEST(a_reply_without_memory_is_unknown),
        TEST(an_engine_may_be_freed_in_the_middle),
        cmocka_unit_test(null_may_be_freed),
        cmocka_unit_test(every_allocation_of_a_call_may_fail),
    };
    return cmocka_run_group_tests_name("io/engine", tests, listen_silently, stop_listening);
}
