/* What an exchange is told and what it makes of a reply, seen by a small server:
 * options of libcurl whose lack would show too late. */
#include "io/engine.h"

#include "io/system/clock.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include "spec/io/clock_support.h"
#include "spec/io/options_support.h"
#include "spec/io/server_support.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cly_engine *engine;
static cly_engine_options options;
static server answering;
static cly_error outcome; /* of the last call that was sent */

static int begin(void **state) {
    (void)state;
    options = options_on_loopback(4, 4);
    return 0;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    cly_engine_free(engine);
    engine = NULL;
    server_stop(&answering);
    return 0;
}

static cly_ticket submit(const char *where, double timeout) {
    cly_ticket ticket = 0;
    assert_int_equal(call_submit(cly_engine_calls(engine), call_submission(where, timeout), &ticket, NULL),
                     CLY_OK);
    return ticket;
}

/* Sends one call and returns its end. */
static cly_kind send_to(const char *where) {
    cly_ticket ticket;
    if (engine == NULL) assert_int_equal(cly_engine_new(&engine, &options, NULL), CLY_OK);
    ticket = submit(where, 3);
    call_finish(engine, ticket, 5);
    outcome = call_result(cly_engine_calls(engine), ticket).call->error;
    cly_call_table_release(cly_engine_calls(engine), ticket);
    return outcome.kind;
}

/* ---- connections ---- */

/* A server closes them after 60 seconds or more: a message that meets a closing
 * one is in doubt. libcurl's own limit, at 118, would be too late. */
static void a_connection_is_kept_for_45_seconds_and_no_longer(void **state) {
    static const char *const replies[] = {REPLY_OK};
    (void)state;
    server_serve(&answering, replies, 1);
    assert_int_equal(send_to(answering.url), CLY_OK);
    clock_skip(43);
    assert_int_equal(send_to(answering.url), CLY_OK);
    assert_int_equal(server_connections(&answering), 1);
    clock_skip(47);
    assert_int_equal(send_to(answering.url), CLY_OK);
    assert_int_equal(server_connections(&answering), 2);
}

static bool was_called(int listener) {
    struct pollfd watched = {listener, POLLIN, 0};
    return poll(&watched, 1, 0) != 0;
}

/* Not only do they fail: no connection is made. */
static void no_other_protocol_is_spoken(void **state) {
    static const char *const schemes[] = {"https", "ftp",  "gopher", "telnet", "dict",
                                          "imap",  "smtp", "ldap",   "http"};
    char url[64], other[80];
    int listener = server_listen(url, sizeof url);
    (void)state;
    assert_true(listener >= 0);
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        bool is_http = strcmp(schemes[i], "http") == 0;
        if (is_http) cly_engine_free(engine);
        if (is_http) engine = NULL; /* and now one for https alone */
        options.settings.is_plain = !is_http;
        snprintf(other, sizeof other, "%s%s", schemes[i], strchr(url, ':'));
        check_case(send_to(other) == CLY_NETWORK, schemes[i]);
        check_case(outcome.outcome == CLY_NOT_SENT, schemes[i]);
        check_case(!was_called(listener), schemes[i]);
    }
    close(listener);
}

/* ---- replies ---- */

/* The API said nothing: what its proxy wants is not what it wants. */
static void what_a_proxy_says_to_connect_is_not_the_apis(void **state) {
    static const char *const replies[] = {
        "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"};
    (void)state;
    server_serve(&answering, replies, 1);
    options.settings.is_plain = false;
    options.settings.proxy = answering.url;
    assert_int_equal(send_to("https://localhost:1/x"), CLY_NETWORK);
    assert_int_equal(server_requests(&answering), 1);
    assert_int_equal(outcome.outcome, CLY_NOT_SENT);
    assert_int_equal(outcome.status, 0);
    assert_true(outcome.retry_after < 0);
}

/* What a proxy answers to CONNECT, and whether another attempt is made. */
static const struct {
    const char *description, *reply;
    int requests; /* of three attempts */
} proxies[] = {
    {"wants a password",
     "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n", 1},
    {"wants what libcurl cannot do", "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", 1},
    {"does not let it through", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 1},
    {"is none", "HTTP/1.1 405 What\r\nContent-Length: 0\r\n\r\n", 1},
    {"sends to a login page", "HTTP/1.1 302 Login\r\nContent-Length: 0\r\n\r\n", 1},
    {"is busy", "HTTP/1.1 429 Slowly\r\nContent-Length: 0\r\n\r\n", 3},
    {"cannot reach the API", "HTTP/1.1 502 Gone\r\nContent-Length: 0\r\n\r\n", 3},
    {"hangs up", HANG_UP, 3},
};

static void set_proxy(char *room, size_t size, const char *user) {
    options.settings.is_plain = false;
    options.settings.proxy = room;
    options.max_attempts = 3;
    snprintf(room, size, "http://%s%s", user, strstr(answering.url, "127."));
}

static void a_proxy_that_refuses_is_asked_once(void **state) {
    char proxy[100];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(proxies); i++) {
        const char *description = proxies[i].description;
        server_serve(&answering, &proxies[i].reply, 1);
        set_proxy(proxy, sizeof proxy, "user:hunter2@");
        check_case(send_to("https://localhost:1/x") == CLY_NETWORK, description);
        check_case(outcome.outcome == CLY_NOT_SENT && outcome.status == 0, description);
        check_case(server_requests(&answering) == proxies[i].requests, description);
        check_case(cly_error_is_retryable(&outcome) == (proxies[i].requests > 1), description);
        check_case(!strstr(outcome.hint, "option proxy") == (proxies[i].requests > 1), description);
        check_case(!strstr(outcome.message, "hunter2"), description);
        end(state);
    }
}

/* The handle still knows what the proxy said the last time. */
static void an_earlier_refusal_is_not_taken_for_one_of_now(void **state) {
    static const char *const replies[] = {"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", HANG_UP};
    char proxy[100];
    (void)state;
    server_serve(&answering, replies, 2);
    set_proxy(proxy, sizeof proxy, "");
    assert_int_equal(send_to("https://localhost:1/x"), CLY_NETWORK);
    assert_false(cly_error_is_retryable(&outcome));
    assert_int_equal(send_to("https://localhost:1/x"), CLY_NETWORK);
    assert_true(cly_error_is_retryable(&outcome));
    assert_int_equal(server_requests(&answering), 4);
}

/* The head of a reply of about so many bytes, in lines that libcurl takes. */
static char *reply_with_head_of(size_t bytes) {
    enum { LINE = 1000 };
    char *reply = calloc(1, bytes + 200);
    assert_non_null(reply);
    strcpy(reply, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n");
    while (strlen(reply) + LINE < bytes) {
        char *line = reply + strlen(reply);
        memset(line, 'x', LINE - 2);
        memcpy(line, "x-more:", 7);
        strcpy(line + LINE - 2, "\r\n");
    }
    strcat(reply, "\r\n{\"id\":\"a\"}");
    return reply;
}

static void a_head_has_a_ceiling(void **state) {
    char *fits = reply_with_head_of(200 * 1024), *too_big = reply_with_head_of(290 * 1024);
    const char *replies[2];
    (void)state;
    replies[0] = fits;
    replies[1] = too_big;
    server_serve(&answering, replies, 2);
    assert_int_equal(send_to(answering.url), CLY_OK);
    assert_int_equal(send_to(answering.url), CLY_PROTOCOL);
    assert_int_equal(outcome.outcome, CLY_UNKNOWN);
    end(state);
    free(fits);
    free(too_big);
}

static const struct {
    const char *description, *reply;
    double retry_after;
} waits[] = {
    {"of the final reply",
     "HTTP/1.1 103 Early\r\n\r\n"
     "HTTP/1.1 429 Slowly\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
     7},
    {"not of one before it",
     "HTTP/1.1 103 Early\r\nRetry-After: 3600\r\n\r\n"
     "HTTP/1.1 429 Slowly\r\nContent-Length: 0\r\n\r\n",
     -1},
    {"of the final reply, when both have it",
     "HTTP/1.1 100 Continue\r\nRetry-After: 3600\r\n\r\n"
     "HTTP/1.1 103 Early\r\nretry-after: 3600\r\n\r\n"
     "HTTP/1.1 429 Slowly\r\nretry-after:5\r\nContent-Length: 0\r\n\r\n",
     5},
};

static void the_final_reply_says_how_long(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        server_serve(&answering, &waits[i].reply, 1);
        check_case(send_to(answering.url) == CLY_RATE_LIMITED, waits[i].description);
        check_case(outcome.retry_after == waits[i].retry_after, waits[i].description);
        end(state);
    }
}

/* ---- silence ---- */

static cly_connections connections;

static void ignore(void *context, cly_transfer *transfer, double now) {
    (void)context, (void)transfer, (void)now;
}

/* One exchange without an engine. */
static void exchange(cly_pools *pools, double now) {
    char no_header[] = "";
    cly_ca_store ca_store;
    const cly_transfer_host host = {
        .pools = pools, .connections = &connections, .ca_store = &ca_store, .issued = ignore};
    cly_transfer_list idle = {NULL, NULL};
    cly_transfer *transfer = cly_transfer_take(&idle);
    double wait;
    cly_pool *pool = cly_pools_choose(pools, now, &wait);
    assert_non_null(pool);
    assert_non_null(transfer);
    cly_ca_store_init(&ca_store, options.settings.ca_paths);
    cly_pools_started(pools, pool);
    transfer->start = (cly_start){.pool = pool, .began_at = now};
    transfer->request = (cly_transfer_request){
        .method = "GET", .url = answering.url, .trace_header = no_header, .deadline = now + 5};
    assert_true(cly_transfer_prepare(transfer, &options.settings, &host));
    cly_transfer_finish(transfer, curl_easy_perform(transfer->easy));
    assert_int_equal(transfer->report.end, CLY_END_REPLY);
    cly_pools_ended(pools, pool, transfer->is_issued, now);
    cly_transfer_append(&idle, transfer);
    cly_transfer_free_all(&idle);
}

/* Counted by us where the kernel does not tell: on macOS, and of a socket that is closed. */
static void a_reply_ends_the_silence_of_its_connection(void **state) {
    static const char *const replies[] = {REPLY_OK};
    const cly_pools_options one = {.max_connections = 1,
                                   .max_age = 300,
                                   .hooks = {cly_connections_open_share, cly_connections_close_share,
                                             cly_connections_alive, &connections}};
    const cly_connection *used = &connections.list[0];
    double since = cly_clock_now(), until;
    cly_pools pools;
    (void)state;
    server_serve(&answering, replies, 1);
    cly_connections_init(&connections, false);
    cly_pools_init(&pools, &one);
    exchange(&pools, since);
    assert_int_equal(connections.open, 1);
    cly_pools_clear(&pools);
    assert_int_equal(connections.open, 0);
    assert_int_equal(used->use.requests, 1);
    until = cly_clock_now();
    assert_true(cly_connections_silence(used, since, until) < until - since);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* ---- memory of libcurl's own ---- */

static const char *scarce; /* the copy of this text after the next `spared` fails */
static int spared;

static char *copy_or_fail(const char *text) {
    char *copied = NULL;
    if (scarce && strcmp(text, scarce) == 0 && spared-- == 0) return NULL;
    copied = malloc(strlen(text) + 1);
    return copied ? strcpy(copied, text) : NULL;
}

/* The handle is used again: the next call is sent all the same. */
static void a_url_without_memory_spoils_no_later_call(void **state) {
    static const char *const replies[] = {REPLY_OK};
    (void)state;
    server_serve(&answering, replies, 1);
    for (int n = 0; n < 2; n++) {
        spared = n;
        scarce = answering.url;
        if (send_to(answering.url) != CLY_OK) assert_int_equal(outcome.outcome, CLY_NOT_SENT);
        scarce = NULL;
        if (send_to(answering.url) != CLY_OK) fail_msg("%s", outcome.message);
        cly_engine_free(engine);
        engine = NULL;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_connection_is_kept_for_45_seconds_and_no_longer),
        TEST(no_other_protocol_is_spoken),
        TEST(what_a_proxy_says_to_connect_is_not_the_apis),
        TEST(a_proxy_that_refuses_is_asked_once),
        TEST(an_earlier_refusal_is_not_taken_for_one_of_now),
        TEST(a_head_has_a_ceiling),
        TEST(the_final_reply_says_how_long),
        TEST(a_reply_ends_the_silence_of_its_connection),
        TEST(a_url_without_memory_spoils_no_later_call),
    };
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free, realloc, copy_or_fail, calloc);
    return cmocka_run_group_tests_name("io/curl/transfer", tests, NULL, NULL);
}
