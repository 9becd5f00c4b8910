/* Memory that runs out at the n-th allocation, for every n until all goes well:
 * each time an error that says so or a success, never a crash, a leak, or a
 * message that is not what was asked for. */
#include "core/call/call.h"
#include "core/api/config.h"
#include "core/api/request.h"
#include "spec/core/fixture_support.h"
#include "spec/core/memory_support.h"
#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <stdio.h>
#include <string.h>

enum { ENOUGH = 10000 };

/* Tries once, and looks at what came of it. */
typedef void (*attempt_function)(const void *subject);

/* Tries with more and more memory, and leaves nothing behind. */
static void starve_in(memory_manner manner, attempt_function attempt, const void *subject) {
    long live = memory_live();
    bool has_failed = true;
    for (long n = 0; has_failed; n++) {
        assert_true(n < ENOUGH);
        memory_fail(n, manner);
        attempt(subject);
        has_failed = memory_restore();
        assert_int_equal(memory_live(), live);
    }
}

static void starve(attempt_function attempt, const void *subject) {
    starve_in(MEMORY_FAILS_ONCE, attempt, subject);
    starve_in(MEMORY_FAILS_FROM_THEN_ON, attempt, subject);
}

/* ---- messages ---- */

typedef struct encoding {
    const char *name, *operation, *body;
    const json_t *message;
} encoding;

static cly_kind encode(message_stage *stage, const encoding *wanted) {
    const cly_operation *operation = cly_operation_find(wanted->operation, strlen(wanted->operation));
    cly_error_clear(&stage->error);
    return cly_encoder_encode(&stage->encoder, operation, NULL, &stage->source, source_value(wanted->message),
                              &stage->error);
}

static void check_body(const message_stage *stage, const encoding *wanted) {
    const cly_buffer *body = &stage->encoder.body;
    check_case(body->length == strlen(wanted->body), wanted->name);
    check_case(body->length == 0 || memcmp(body->data, wanted->body, body->length) == 0, wanted->name);
    check_case(stage->encoder.path.data[0] == '/', wanted->name);
}

static void try_encoding(const void *subject) {
    const encoding *wanted = subject;
    message_stage stage;
    message_begin(&stage);
    if (encode(&stage, wanted) == CLY_OK)
        check_body(&stage, wanted);
    else if (stage.error.kind != CLY_OVERLOADED || stage.error.outcome != CLY_NOT_SENT)
        fail_msg("%s: %s: %s", wanted->name, cly_kind_name(stage.error.kind), stage.error.message);
    /* The same encoder, when there is memory again. */
    memory_restore();
    assert_int_equal(encode(&stage, wanted), CLY_OK);
    check_body(&stage, wanted);
    message_end(&stage);
}

static void starve_form(const char *name, const char *form, const json_t *fixture) {
    encoding wanted = {name, fixture_text(fixture, "operation"), fixture_text(fixture, "body"),
                       json_object_get(fixture, form)};
    starve(try_encoding, &wanted);
}

static void starve_both(const char *name, const json_t *fixture) {
    starve_form(name, "friendly", fixture);
    starve_form(name, "wire", fixture);
}

static void every_message_survives(void **state) {
    (void)state;
    fixture_each("messages", starve_both);
}

/* Enough parameters, backwards, to make every buffer grow several times. */
static void a_long_list_of_parameters_survives(void **state) {
    json_t *message = message_parse("{'number':'+14155550123','template_name':'t','language':'en'}");
    json_t *list = json_array();
    encoding wanted = {"long list", "send_template", NULL, message};
    message_stage stage;
    char *body;
    (void)state;
    for (int i = 99; i >= 0; i--) {
        char name[32];
        snprintf(name, sizeof name, "card.%d.body.0", i);
        json_array_append_new(list, json_pack("{s:s,s:i}", "name", name, "value", i));
    }
    json_object_set_new(message, "parameters", list);
    message_begin(&stage);
    assert_int_equal(message_encode(&stage, "send_template", message), CLY_OK);
    wanted.body = body = test_malloc(stage.encoder.body.length + 1);
    strcpy(body, message_body(&stage));
    message_end(&stage);
    starve(try_encoding, &wanted);
    test_free(body);
    json_decref(message);
}

static void a_request_of_ones_own_survives(void **state) {
    json_t *table = message_parse("{'method':'POST','path':'/x','body':{'a':[1]}}");
    json_t *text = message_parse("{'method':'POST','path':'/x','body':'{\\'a\\':[1]}'}");
    encoding of_table = {"a table", "request", "{\"a\":[1]}", table};
    encoding of_text = {"a text", "request", "{\"a\":[1]}", text};
    (void)state;
    starve(try_encoding, &of_table);
    starve(try_encoding, &of_text);
    json_decref(table);
    json_decref(text);
}

/* ---- messages with faults ---- */

static void try_refusal(const void *subject) {
    const encoding *wanted = subject;
    message_stage stage;
    message_begin(&stage);
    check_case(encode(&stage, wanted) != CLY_OK, wanted->name);
    check_case(stage.error.kind == CLY_ARGUMENT || stage.error.kind == CLY_OVERLOADED, wanted->name);
    check_case(stage.error.outcome == CLY_NOT_SENT && stage.error.message[0], wanted->name);
    for (size_t i = 0; i < stage.encoder.problems.count; i++) {
        check_case(strlen(cly_problem_param(&stage.encoder.problems, i)) < 1000, wanted->name);
        check_case(cly_problem_message(&stage.encoder.problems, i)[0], wanted->name);
    }
    message_end(&stage);
}

static void starve_refused(const char *name, const json_t *fixture) {
    encoding wanted = {name, fixture_text(fixture, "operation"), NULL, json_object_get(fixture, "message")};
    starve(try_refusal, &wanted);
}

/* Lack of memory must not let a bad message through. */
static void no_fault_is_forgotten(void **state) {
    (void)state;
    fixture_each("refused", starve_refused);
}

/* ---- URL, header, options ---- */

static void try_url(const void *subject) {
    cly_buffer url;
    cly_error error;
    (void)subject;
    cly_error_clear(&error);
    cly_buffer_init(&url, CLY_URL_MAX);
    if (cly_request_url(&url, "https://api.connectly.ai", "biz", "/send/messages", &error) == CLY_OK)
        assert_string_equal(url.data, "https://api.connectly.ai/v1/businesses/biz/send/messages");
    else
        assert_int_equal(error.kind, CLY_OVERLOADED);
    cly_buffer_clear(&url);
}

static void try_header(const void *subject) {
    cly_buffer line;
    cly_error error;
    (void)subject;
    cly_error_clear(&error);
    cly_buffer_init(&line, CLY_HEADER_MAX);
    if (cly_request_header(&line, "X-API-Key", "key", &error) == CLY_OK)
        assert_string_equal(line.data, "X-API-Key: key");
    else
        assert_int_equal(error.kind, CLY_OVERLOADED);
    cly_buffer_clear(&line);
}

static void url_and_header_survive(void **state) {
    (void)state;
    starve(try_url, NULL);
    starve(try_header, NULL);
}

static void read_options(const json_t *options, const cly_config_defaults *defaults, cly_config *config,
                         cly_error *error) {
    cly_problems problems;
    source_host host;
    cly_source source = source_make(&host);
    cly_problems_init(&problems);
    cly_config_init(config);
    cly_error_clear(error);
    if (cly_config_read(config, defaults, &source, source_value(options), &problems, error) == CLY_OK)
        assert_int_equal(problems.count, 0);
    cly_problems_clear(&problems);
}

static void try_options(const void *subject) {
    static const cly_config_defaults defaults = {"environment key", "business", "https://localhost/x/"};
    cly_config config;
    cly_error error;
    read_options(subject, &defaults, &config, &error);
    if (error.kind == CLY_OK) {
        assert_string_equal(config.api_key, "key");
        assert_string_equal(config.business_id, "business");
        assert_string_equal(config.base_url, "https://localhost/x");
    } else if (error.kind != CLY_OVERLOADED) {
        fail_msg("%s: %s", cly_kind_name(error.kind), error.message);
    }
    cly_config_clear(&config);
}

static void options_survive(void **state) {
    json_t *options = message_parse("{'api_key':'key','sender':'+14155550100','ca_file':'f','proxy':'p'}");
    (void)state;
    starve(try_options, options);
    json_decref(options);
}

/* ---- replies ---- */

#define SECRET "s3\"cr/et"

typedef struct reply {
    const char *description;
    int status;
    const char *body, *id;
} reply;

static const reply replies[] = {
    {"a success", 200, "{\"id\":\"short\",\"n\":[1,{\"a\":2}]}", "short"},
    {"a success with a long number", 200, "{\"id\":\"a\",\"n\":15555555555555555555}", "a"},
    {"a refusal", 400, "{\"message\":\"m\",\"code\":\"c\",\"details\":{\"a\":[1,2.5,null,\"x\"]}}", NULL},
    {"a refusal with all fields", 400,
     "{\"message\":\"template parameters do not match\",\"type\":\"ERROR_TYPE_INVALID_REQUEST\","
     "\"userTitle\":\"The message could not be sent\",\"cntTraceId\":15555555555555555555}",
     NULL},
    {"a refusal that echoes the key", 401,
     "{\"message\":\"s3\\\"cr/et\",\"details\":{\"s3\\\"cr/et\":[\"s3\\\"cr\\/et\"]}}", NULL},
    {"a page", 502, "<html>s3\"cr/et</html>", NULL},
    {"a limit", 429, "{\"message\":\"slowly\"}", NULL},
};

static void check_secret(const cly_call *call, const reply *given) {
    for (int i = 0; i < CLY_TEXT_COUNT; i++) {
        const char *text = cly_response_text(&call->response, (cly_reply_text)i);
        if (text && (strstr(text, "s3\"") || strstr(text, "s3\\\"")))
            fail_msg("%s: %s", given->description, text);
    }
    if (strstr(call->error.message, "s3\"")) fail_msg("%s: %s", given->description, call->error.message);
}

/* A 2xx whose id cannot be kept may have arrived; a 4xx stays a refusal. */
static void check_outcome(const cly_call *call, const reply *given) {
    if (given->id && call->error.kind == CLY_OK) {
        check_case_text(cly_response_text(&call->response, CLY_TEXT_ID), given->id, given->description);
        return;
    }
    check_case(call->error.kind != CLY_OK, given->description);
    if (given->id) check_case(call->error.outcome == CLY_UNKNOWN, given->description);
    if (given->status == 400 || given->status == 401)
        check_case(call->error.outcome == CLY_REFUSED, given->description);
    if (given->status == 429) check_case(call->error.kind == CLY_RATE_LIMITED, given->description);
    if (given->status == 502) check_case(call->error.outcome == CLY_UNKNOWN, given->description);
}

static void try_reply(const void *subject) {
    const reply *given = subject;
    cly_report report = {CLY_END_REPLY, true, 0, -1, NULL, NULL, 0};
    cly_call_rules rules = {{1, false}, cly_retry_quota_make(), SECRET, false};
    cly_call call;
    report.status = given->status;
    report.body = given->body;
    report.length = strlen(given->body);
    cly_call_init(&call);
    cly_call_begin(&call, cly_operation_find("send_template", 13), (cly_batch){0, 0}, 30, 0);
    assert_int_equal(cly_call_next(&call, 0), CLY_STEP_SEND);
    cly_call_sent(&call);
    cly_call_report(&call, &rules, &report, 0, 1);
    assert_int_equal(cly_call_next(&call, 1), CLY_STEP_DONE);
    check_outcome(&call, given);
    check_secret(&call, given);
    cly_call_clear(&call);
}

static void every_reply_survives(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(replies); i++) starve(try_reply, &replies[i]);
}

/* Memory has no say in whether somebody was taken. */
static void try_campaigns(const void *subject) {
    static const char body[] = "{\"data\":[{\"acceptedCount\":1},{\"rejectedCount\":1,\"error\":\"s3\\\"cr/"
                               "et and more\"}],\"message\":\"m\"}";
    cly_report report = {CLY_END_REPLY, true, 200, -1, NULL, body, sizeof body - 1};
    cly_call_rules rules = {{1, false}, cly_retry_quota_make(), SECRET, false};
    const char *text;
    cly_call call;
    (void)subject;
    cly_call_init(&call);
    cly_call_begin(&call, cly_operation_find("send_campaigns", 14), (cly_batch){2, 1}, 30, 0);
    assert_int_equal(cly_call_next(&call, 0), CLY_STEP_SEND);
    cly_call_sent(&call);
    cly_call_report(&call, &rules, &report, 0, 1);
    assert_int_equal(call.error.kind, CLY_REJECTED);
    assert_int_equal(call.error.outcome, CLY_UNKNOWN);
    assert_string_equal(call.error.message, "1 entries were rejected, 1 accepted");
    text = cly_response_text(&call.response, CLY_TEXT_USER_MESSAGE);
    if (text) assert_non_null(strstr(text, "* and more"));
    if (text) assert_null(strstr(text, "s3"));
    cly_call_clear(&call);
}

static void replies_about_campaigns_survive(void **state) {
    (void)state;
    starve(try_campaigns, NULL);
}

/* A parser that dropped the byte for which it had no room, and said nothing, made
 * an id that was not the message's: worse than none. */
static void no_id_is_damaged(void **state) {
    static const reply ulid = {"a ULID", 200, "{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}",
                               "01ARZ3NDEKTSV4RRFFQ69G5FAV"};
    (void)state;
    starve(try_reply, &ulid);
}

static int begin(void **state) {
    (void)state;
    memory_take_jansson();
    return 0;
}

/* A test that failed may have left memory failing. */
static int end(void **state) {
    (void)state;
    memory_restore();
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_message_survives),
        TEST(a_long_list_of_parameters_survives),
        TEST(a_request_of_ones_own_survives),
        TEST(no_fault_is_forgotten),
        TEST(url_and_header_survive),
        TEST(options_survive),
        TEST(every_reply_survives),
        TEST(replies_about_campaigns_survive),
        TEST(no_id_is_damaged),
    };
    return cmocka_run_group_tests_name("core/memory", tests, begin, NULL);
}
