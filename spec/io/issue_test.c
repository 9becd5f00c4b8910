/* A request is issued once, whatever libcurl believes about the bytes it sent. The
 * linker hands every send() of libcurl to the one below. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "io/engine.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include "spec/io/call_support.h"
#include "spec/io/options_support.h"
#include "spec/io/server_support.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static cly_engine *engine;
static cly_engine_options options;
static server answering;
static atomic_int refused_sends; /* how many of the next sends of requests say EAGAIN */

static bool is_request(const void *bytes, size_t length) {
    return length > 5 && (memcmp(bytes, "POST ", 5) == 0 || memcmp(bytes, "GET /", 5) == 0);
}

ssize_t send(int descriptor, const void *bytes, size_t length, int flags) {
    ssize_t (*next)(int, const void *, size_t, int);
    void *symbol = dlsym(RTLD_NEXT, "send");
    memcpy(&next, &symbol, sizeof next);
    if (is_request(bytes, length) && atomic_load(&refused_sends) > 0) {
        atomic_fetch_sub(&refused_sends, 1);
        errno = EAGAIN;
        return -1;
    }
    return next(descriptor, bytes, length, flags);
}

static void begin(const char *const *replies, int count, int max_attempts) {
    options = options_on_loopback(4, 4);
    options.max_attempts = max_attempts;
    assert_true(server_start(&answering, replies, count));
    assert_int_equal(cly_engine_new(&engine, &options, NULL), CLY_OK);
}

static int end(void **state) {
    (void)state;
    atomic_store(&refused_sends, 0);
    cly_engine_free(engine);
    engine = NULL;
    server_stop(&answering);
    return 0;
}

static const cly_call *send_one(const char *name) {
    cly_call_table *calls = cly_engine_calls(engine);
    cly_submission submission = call_submission(answering.url, 5);
    cly_ticket ticket = 0;
    submission.operation = cly_operation_find(name, strlen(name));
    submission.method = submission.operation->method;
    assert_int_equal(call_submit(calls, submission, &ticket, NULL), CLY_OK);
    call_finish(engine, ticket, 10);
    return call_result(calls, ticket).call;
}

/* libcurl counts no byte of the request, although all of it left when the socket
 * took it a moment later; then it would send it again on a new connection. */
static void a_kept_connection_that_blocks_first_is_no_reason_to_repeat(void **state) {
    static const char *const replies[] = {REPLY_OK, HANG_UP, REPLY_OK};
    const cly_call *call;
    (void)state;
    begin(replies, 3, 1);
    assert_int_equal(send_one("send_template")->error.kind, CLY_OK);
    atomic_store(&refused_sends, 1);
    call = send_one("send_template");
    assert_int_equal(call->error.kind, CLY_NETWORK);
    assert_int_equal(call->error.outcome, CLY_UNKNOWN);
    assert_int_equal(server_requests(&answering), 2);
}

/* What may be repeated is repeated as an attempt that is counted. */
static void a_repeat_of_an_idempotent_call_is_an_attempt(void **state) {
    static const char *const list[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", HANG_UP,
                                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};
    const cly_call *call;
    (void)state;
    begin(list, 3, 3);
    assert_int_equal(send_one("list_webhooks")->error.kind, CLY_OK);
    call = send_one("list_webhooks");
    assert_int_equal(call->error.kind, CLY_OK);
    assert_int_equal(call->attempts, 2);
    assert_int_equal(server_requests(&answering), 3);
    assert_int_equal(cly_call_table_stats(cly_engine_calls(engine)).attempts, 3);
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_kept_connection_that_blocks_first_is_no_reason_to_repeat),
        TEST(a_repeat_of_an_idempotent_call_is_an_attempt),
    };
    return cmocka_run_group_tests_name("io/issue", tests, NULL, NULL);
}
