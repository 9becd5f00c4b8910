/* A client that its owner leaves: its calls go on, and all is freed. */
#define _DEFAULT_SOURCE /* usleep */
#include "io/client.h"

#include "io/system/clock.h"
#include "spec/core/memory_support.h"
#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include "spec/io/child_support.h"
#include "spec/io/server_support.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static cly_client client;
static server answering;
static source_host host;
static long live; /* allocations before it */

static const char *const always_ok[] = {REPLY_OK};
static const char *const silent[] = {SILENCE};

static cly_kind read_options(double timeout, cly_error *error) {
    char text[256];
    cly_source source = source_make(&host);
    json_t *options;
    cly_kind kind;
    snprintf(text, sizeof text,
             "{'api_key':'secret key','business_id':'b','base_url':'%s','timeout':%.1f,'proxy':''}",
             answering.url, timeout);
    options = message_parse(text);
    cly_error_clear(error);
    kind = cly_client_read(&client, &source, source_value(options), error);
    json_decref(options);
    return kind;
}

static void open_client(double timeout) {
    cly_error error;
    cly_client_init(&client);
    assert_int_equal(read_options(timeout, &error), CLY_OK);
}

static cly_ticket submit(void) {
    const cly_operation *operation = cly_operation_find("send_session", 12);
    json_t *message = message_parse("{'number':'+14155550123','text':'x'}");
    cly_source source = source_make(&host);
    cly_ticket ticket = 0;
    cly_error error;
    cly_error_clear(&error);
    assert_int_equal(
        cly_encoder_encode(&client.encoder, operation, NULL, &source, source_value(message), &error), CLY_OK);
    assert_int_equal(cly_client_submit(&client, operation, 0, &ticket, &error), CLY_OK);
    json_decref(message);
    return ticket;
}

static int begin(void **state) {
    (void)state;
    live = memory_live();
    return server_start(&answering, always_ok, 1) ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    cly_client_clear(&client);
    server_stop(&answering);
    return 0;
}

/* When all that was lent is freed; the seconds that it took. */
static double wait_until_freed(void) {
    double from = cly_clock_now();
    while (memory_live() != live && cly_clock_now() < from + 20) usleep(1000);
    assert_int_equal(memory_live(), live);
    return cly_clock_now() - from;
}

static void leave_at_once(double seconds) {
    double before = cly_clock_now();
    cly_client_leave(&client, seconds);
    assert_true(cly_clock_now() - before < 1);
}

static void check_wiped(const char *bytes, size_t length) {
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) assert_int_equal(bytes[i], 0);
}

static void no_secret_is_left_in_what_is_freed(void **state) {
    static const char proxy[] = "http://user:hunter2@127.0.0.1:1", key[] = "secret key";
    cly_source source = source_make(&host);
    json_t *options = message_parse("{'api_key':'secret key','business_id':'b','proxy':"
                                    "'http://user:hunter2@127.0.0.1:1'}");
    cly_error error;
    (void)state;
    for (int which = 0; which < 3; which++) {
        const cly_settings *settings;
        cly_client_init(&client);
        cly_error_clear(&error);
        assert_int_equal(cly_client_read(&client, &source, source_value(options), &error), CLY_OK);
        settings = client.settings;
        if (which == 0) memory_watch(settings->proxy, sizeof proxy - 1);
        if (which == 1) memory_watch(settings->config.proxy, sizeof proxy - 1);
        if (which == 2) memory_watch(settings->config.api_key, sizeof key - 1);
        cly_client_close(&client, 0);
        check_wiped(memory_freed(), which == 2 ? sizeof key - 1 : sizeof proxy - 1);
        cly_client_clear(&client);
    }
    json_decref(options);
}

/* What follows is asked of a closed one. */
static void check_closed(cly_ticket ticket) {
    cly_result result;
    assert_true(client.is_closed);
    assert_null(cly_client_config(&client));
    assert_null(cly_client_worker(&client));
    assert_null(cly_client_engine(&client));
    assert_false(cly_call_table_is_known(cly_client_calls(&client), ticket));
    assert_false(cly_call_table_result(cly_client_calls(&client), ticket, &result));
    assert_int_equal(cly_call_table_stats(cly_client_calls(&client)).in_flight, 0);
    cly_call_table_detach(cly_client_calls(&client), ticket);
    cly_client_cancel(&client, ticket);
    cly_client_release(&client, ticket);
    assert_int_equal(cly_client_close(&client, 1), 0);
}

static void a_worker_goes_on_without_its_client(void **state) {
    cly_ticket ticket;
    (void)state;
    open_client(20);
    assert_int_equal(cly_client_start_worker(&client, NULL), CLY_OK);
    ticket = submit();
    submit();
    leave_at_once(20);
    check_closed(ticket);
    memset(&client, 0xEE, sizeof client); /* as a collector does with it */
    server_await(&answering, 2);
    wait_until_freed();
    cly_client_init(&client);
}

static void what_it_cannot_end_it_ends_in_time(void **state) {
    double took;
    (void)state;
    server_serve(&answering, silent, 1);
    open_client(20);
    assert_int_equal(cly_client_start_worker(&client, NULL), CLY_OK);
    submit();
    server_await(&answering, 1);
    leave_at_once(0.5);
    took = wait_until_freed();
    assert_true(took > 0.3 && took < 10);
}

static void it_has_no_longer_than_a_call_may_take(void **state) {
    (void)state;
    server_serve(&answering, silent, 1);
    open_client(0.5);
    assert_int_equal(cly_client_start_worker(&client, NULL), CLY_OK);
    submit();
    leave_at_once(600);
    assert_true(wait_until_freed() < 10);
}

static void without_time_it_ends_at_once(void **state) {
    (void)state;
    server_serve(&answering, silent, 1);
    open_client(20);
    assert_int_equal(cly_client_start_worker(&client, NULL), CLY_OK);
    submit();
    leave_at_once(0);
    assert_true(wait_until_freed() < 10);
}

/* No other thread would move them. */
static void calls_of_the_callers_thread_are_waited_for(void **state) {
    cly_ticket ticket;
    (void)state;
    open_client(20);
    ticket = submit();
    cly_client_leave(&client, 10);
    assert_int_equal(server_requests(&answering), 1);
    check_closed(ticket);
    assert_int_equal(memory_live(), live);
}

static void one_that_did_nothing_is_freed(void **state) {
    (void)state;
    cly_client_init(&client);
    cly_client_leave(&client, 5);
    check_closed(1);
    open_client(20);
    cly_client_leave(&client, 5);
    cly_client_leave(&client, 5);
    check_closed(1);
    assert_int_equal(memory_live(), live);
}

static void one_that_was_closed_is_freed(void **state) {
    cly_ticket ticket;
    (void)state;
    open_client(20);
    assert_int_equal(cly_client_start_worker(&client, NULL), CLY_OK);
    ticket = submit();
    assert_int_equal(cly_client_close(&client, 10), 0);
    cly_client_leave(&client, 5);
    check_closed(ticket);
    assert_int_equal(memory_live(), live);
}

static void options_may_lack_memory(void **state) {
    bool has_failed = true;
    (void)state;
    for (long n = 0; has_failed; n++) {
        cly_error error;
        cly_kind kind;
        char text[256];
        cly_source source = source_make(&host);
        json_t *options;
        snprintf(text, sizeof text, "{'api_key':'k','business_id':'b','base_url':'%s'}", answering.url);
        options = message_parse(text);
        cly_client_init(&client);
        cly_error_clear(&error);
        memory_fail(n, MEMORY_FAILS_ONCE);
        kind = cly_client_read(&client, &source, source_value(options), &error);
        has_failed = memory_restore();
        if (has_failed) assert_int_equal(kind, CLY_OVERLOADED);
        cly_client_leave(&client, 5);
        json_decref(options);
        assert_int_equal(memory_live(), live);
    }
}

/* The worker is the parent's: the child lets go of it. */
static void a_child_leaves_nothing_of_its_parent(void **state) {
    cly_ticket ticket;
    pid_t child;
    (void)state;
    open_client(20);
    assert_int_equal(cly_client_start_worker(&client, NULL), CLY_OK);
    ticket = submit();
    child = fork();
    if (child == 0) {
        cly_client_leave(&client, 5);
        child_end(client.is_closed && server_requests(&answering) <= 1 ? 0 : 1);
    }
    child_await(child);
    cly_client_step_for(&client, ticket, 10);
    assert_true(cly_call_table_is_done(cly_client_calls(&client), ticket));
    cly_client_leave(&client, 5);
    wait_until_freed();
    assert_int_equal(server_requests(&answering), 1);
}

/* As when the handler of an event sends while the result of its call waits. */
static void a_result_that_is_not_read_keeps_no_wait_short(void **state) {
    static const char *const first_alone[] = {REPLY_OK, SILENCE};
    cly_ticket first, second;
    double until;
    int steps = 0;
    (void)state;
    server_serve(&answering, first_alone, 2);
    open_client(5);
    first = submit();
    while (!cly_call_table_is_done(cly_client_calls(&client), first))
        cly_client_step_for(&client, first, 0.1);
    second = submit();
    for (until = cly_clock_now() + 0.3; cly_clock_now() < until; steps++)
        cly_client_step_for(&client, second, 0.1);
    assert_true(steps < 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(no_secret_is_left_in_what_is_freed),
        TEST(a_worker_goes_on_without_its_client),
        TEST(what_it_cannot_end_it_ends_in_time),
        TEST(it_has_no_longer_than_a_call_may_take),
        TEST(without_time_it_ends_at_once),
        TEST(calls_of_the_callers_thread_are_waited_for),
        TEST(one_that_did_nothing_is_freed),
        TEST(one_that_was_closed_is_freed),
        TEST(options_may_lack_memory),
        TEST(a_child_leaves_nothing_of_its_parent),
        TEST(a_result_that_is_not_read_keeps_no_wait_short),
    };
    memory_take_jansson();
    return cmocka_run_group_tests_name("io/client", tests, NULL, NULL);
}
