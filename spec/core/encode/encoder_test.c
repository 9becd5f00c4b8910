/* core/encode/encoder, template and session: the cases are files, spec/fixtures/messages
 * and spec/fixtures/refused. */
#include "core/encode/encoder.h"

#include "spec/core/fixture_support.h"
#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <string.h>

static message_stage stage;

static int begin(void **state) {
    (void)state;
    message_begin(&stage);
    return 0;
}

static int end(void **state) {
    (void)state;
    message_end(&stage);
    return 0;
}

static void encode_form(const char *name, const char *form, const json_t *fixture) {
    const json_t *message = json_object_get(fixture, form);
    if (message == NULL) fail_msg("%s: no %s form", name, form);
    if (message_encode(&stage, fixture_text(fixture, "operation"), message) != CLY_OK)
        fail_msg("%s, %s: %s", name, form, stage.error.message);
    if (strcmp(message_body(&stage), fixture_text(fixture, "body")) != 0)
        fail_msg("%s, %s:\n  got  %s\n  want %s", name, form, message_body(&stage),
                 fixture_text(fixture, "body"));
}

static void encode_both(const char *name, const json_t *fixture) {
    encode_form(name, "friendly", fixture);
    encode_form(name, "wire", fixture);
}

static void both_forms_are_the_same_bytes(void **state) {
    (void)state;
    fixture_each("messages", encode_both);
}

static void check_problem(const char *name, const json_t *problem) {
    const char *said = message_problem(&stage, fixture_text(problem, "param"));
    if (said == NULL)
        fail_msg("%s: no problem with %s but: %s", name, fixture_text(problem, "param"), stage.error.message);
    check_case_text(said, fixture_text(problem, "message"), name);
}

static void refuse(const char *name, const json_t *fixture) {
    const json_t *problems = json_object_get(fixture, "problems");
    const char *first = fixture_text(json_array_get(problems, 0), "param");
    cly_kind kind =
        message_encode(&stage, fixture_text(fixture, "operation"), json_object_get(fixture, "message"));
    check_case(kind == CLY_ARGUMENT && stage.error.outcome == CLY_NOT_SENT, name);
    check_case(json_array_size(problems) > 0, name);
    for (size_t i = 0; i < json_array_size(problems); i++) check_problem(name, json_array_get(problems, i));
    check_case_text(stage.error.param, first, name);
    check_case_text(cly_problem_param(&stage.encoder.problems, 0), first, name);
    check_case(cly_error_is_retryable(&stage.error) == false, name);
}

static void what_is_refused_names_every_fault(void **state) {
    (void)state;
    fixture_each("refused", refuse);
}

static void a_message_is_a_table(void **state) {
    static const struct {
        const char *message, *said;
    } cases[] = {
        {"'text'", "table of fields expected, got string"},
        {"null", "table of fields expected, got null"},
        {"1", "table of fields expected, got number"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(message_encode_text(&stage, "send_session", cases[i].message), CLY_ARGUMENT);
        assert_string_equal(stage.error.message, cases[i].said);
    }
    assert_int_equal(message_encode(&stage, "send_template", NULL), CLY_ARGUMENT);
}

#define TO "'number':'+14155550123'"

static void the_sender_of_the_client_is_the_default(void **state) {
    (void)state;
    stage.sender = "+14155550100";
    assert_int_equal(
        message_encode_text(&stage, "send_template", "{" TO ",'template_name':'t','language':'en'}"), CLY_OK);
    assert_non_null(strstr(message_body(&stage), "{\"sender\":\"+14155550100\","));
    assert_int_equal(message_encode_text(&stage, "send_session", "{" TO ",'text':'x'}"), CLY_OK);
    assert_non_null(
        strstr(message_body(&stage), "{\"sender\":{\"id\":\"+14155550100\",\"channelType\":\"whatsapp\"},"));
    assert_int_equal(message_encode_text(&stage, "send_session", "{" TO ",'text':'x','sender':'+12'}"),
                     CLY_OK);
    assert_null(strstr(message_body(&stage), "+14155550100"));
}

static void a_good_message_follows_a_bad_one(void **state) {
    (void)state;
    assert_int_equal(message_encode_text(&stage, "send_session", "{'text':true}"), CLY_ARGUMENT);
    assert_int_equal(message_encode_text(&stage, "send_session", "{" TO ",'text':'x'}"), CLY_OK);
    assert_int_equal(stage.encoder.problems.count, 0);
    assert_string_equal(stage.encoder.method, "POST");
    assert_string_equal(stage.encoder.path.data, "/send/messages");
}

/* ---- the way out: method, path and body of the caller's own ---- */

static const struct {
    const char *description, *message, *method, *path, *body;
} requests[] = {
    {"a POST", "{'method':'POST','path':'/send/messages','body':{'a':[1]}}", "POST", "/send/messages",
     "{\"a\":[1]}"},
    {"a GET has no body", "{'method':'GET','path':'/webhooks'}", "GET", "/webhooks", ""},
    {"a query", "{'method':'GET','path':'/reports?type=a%20b&x=..'}", "GET", "/reports?type=a%20b&x=..", ""},
    {"a POST without a body", "{'method':'POST','path':'/get/templates'}", "POST", "/get/templates", ""},
    {"a text is JSON already", "{'method':'PUT','path':'/x','body':'{\\'a\\': 1}'}", "PUT", "/x",
     "{\"a\": 1}"},
    {"slashes in disguise without dots", "{'method':'GET','path':'/a%2fb%5C..c'}", "GET", "/a%2fb%5C..c", ""},
    {"a text with a name that stands twice", "{'method':'POST','path':'/x','body':'[{\\'a\\':1,\\'a\\':2}]'}",
     "POST", "/x", "[{\"a\":1,\"a\":2}]"},
    {"dots inside a name", "{'method':'DELETE','path':'/a..b/.c/d.'}", "DELETE", "/a..b/.c/d.", ""},
};

static void a_request_says_where_it_goes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        if (message_encode_text(&stage, "request", requests[i].message) != CLY_OK)
            fail_msg("%s: %s", requests[i].description, stage.error.message);
        check_case_text(stage.encoder.method, requests[i].method, requests[i].description);
        check_case_text(stage.encoder.path.data, requests[i].path, requests[i].description);
        check_case_text(message_body(&stage), requests[i].body, requests[i].description);
    }
}

static const struct {
    const char *description, *message, *param;
} refused_requests[] = {
    {"no method", "{'path':'/x'}", "method"},
    {"a method that is none", "{'method':'get','path':'/x'}", "method"},
    {"a method with a line break", "{'method':'GET\\r\\n','path':'/x'}", "method"},
    {"no path", "{'method':'GET'}", "path"},
    {"a path without a slash", "{'method':'GET','path':'x'}", "path"},
    {"an empty path", "{'method':'GET','path':''}", "path"},
    {"only a slash", "{'method':'GET','path':'/'}", "path"},
    {"a path that is a number", "{'method':'GET','path':1}", "path"},
    {"another host is no path", "{'method':'GET','path':'https://evil.example/'}", "path"},
    {"a blank", "{'method':'GET','path':'/a b'}", "path"},
    {"a line break", "{'method':'GET','path':'/a\\r\\nX: y'}", "path"},
    {"a zero byte", "{'method':'GET','path':'/a\\u0000b'}", "path"},
    {"a fragment", "{'method':'GET','path':'/a#b'}", "path"},
    {"a backslash", "{'method':'GET','path':'/..\\\\x'}", "path"},
    {"climbing out", "{'method':'GET','path':'/../other'}", "path"},
    {"climbing out at the end", "{'method':'GET','path':'/a/..'}", "path"},
    {"climbing out before the query", "{'method':'GET','path':'/a/..?b'}", "path"},
    {"a dot alone", "{'method':'GET','path':'/./a'}", "path"},
    {"dots in disguise", "{'method':'GET','path':'/%2E%2e/other'}", "path"},
    {"half in disguise", "{'method':'GET','path':'/.%2e/other'}", "path"},
    {"a body for a GET", "{'method':'GET','path':'/x','body':{}}", "body"},
    {"a text that is no JSON", "{'method':'POST','path':'/x','body':'{'}", "body"},
    {"an empty text", "{'method':'POST','path':'/x','body':''}", "body"},
    {"a text with a trailing comma", "{'method':'POST','path':'/x','body':'[1,]'}", "body"},
};

static void a_request_stays_inside_the_business(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused_requests); i++) {
        cly_kind kind = message_encode_text(&stage, "request", refused_requests[i].message);
        check_case(kind == CLY_ARGUMENT, refused_requests[i].description);
        check_case_text(stage.error.param, refused_requests[i].param, refused_requests[i].description);
    }
}

/* Some servers decode %2F before they look at dots. */
static void slashes_in_disguise_climb_nowhere(void **state) {
    static const char *const messages[] = {
        "{'method':'GET','path':'/..%2fother'}",   "{'method':'GET','path':'/a%2F..%2f..%2Fother'}",
        "{'method':'GET','path':'/..%5Cother'}",   "{'method':'GET','path':'/a%2f..'}",
        "{'method':'GET','path':'/a/..%5c'}",      "{'method':'GET','path':'/%2e.%2F%2E%2e/other?x'}",
        "{'method':'GET','path':'/..;a=b/other'}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        check_case(message_encode_text(&stage, "request", messages[i]) == CLY_ARGUMENT, messages[i]);
}

static void a_long_path_is_refused(void **state) {
    json_t *message = message_parse("{'method':'GET'}");
    char path[CLY_PATH_MAX + 1];
    (void)state;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    json_object_set_new(message, "path", json_stringn(path, CLY_PATH_MAX - 1));
    assert_int_equal(message_encode(&stage, "request", message), CLY_OK);
    json_object_set_new(message, "path", json_stringn(path, CLY_PATH_MAX));
    assert_int_equal(message_encode(&stage, "request", message), CLY_ARGUMENT);
    json_object_set_new(message, "path", json_stringn(path, CLY_PATH_MAX + 1));
    assert_int_equal(message_encode(&stage, "request", message), CLY_ARGUMENT);
    assert_string_equal(stage.error.message, "path: larger than 4096 bytes");
    json_decref(message);
}

/* What the reply to campaigns must account for: in the body, whatever Lua makes of the
 * list. */
static void entries_are_counted_as_they_are_written(void **state) {
    static const char *const messages[] = {
        "{'entries':[{'number':'+14155550123','campaign_name':'c'}]}",
        "{'entries':[{'number':'+14155550123','campaign_name':'c'},"
        "{'number':'+14155550123','campaign_name':'d'}]}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        assert_int_equal(message_encode_text(&stage, "send_campaigns", messages[i]), CLY_OK);
        assert_int_equal(stage.encoder.batch.entries, i + 1);
    }
    assert_int_equal(message_encode_text(&stage, "send_session", "{'number':'+14155550123','text':'x'}"),
                     CLY_OK);
    assert_int_equal(stage.encoder.batch.entries, 0);
    assert_int_equal(message_encode_text(&stage, "send_campaigns", "{'entries':[]}"), CLY_ARGUMENT);
    assert_int_equal(message_encode_text(&stage, "send_campaigns", "{}"), CLY_ARGUMENT);
    assert_int_equal(stage.encoder.batch.entries, 0);
}

/* Each campaign and version becomes a sendout, however it was given. */
static void sendouts_are_counted_by_campaign_and_version(void **state) {
    static const struct {
        const char *entries;
        int sendouts;
    } cases[] = {
        {"{'number':'+14155550121','campaign_name':'c'},{'number':'+14155550122','campaign_name':'c'}", 1},
        {"{'number':'+14155550121','campaign_name':'c'},{'number':'+14155550121','campaign_name':'d'}", 2},
        {"{'number':'+14155550121','campaignName':'c','campaignVersion':null},"
         "{'client':'+14155550122','campaign_name':'c'}",
         1},
        {"{'number':'+14155550121','campaign_name':'c','campaign_version':2},"
         "{'number':'+14155550122','campaign_name':'c','campaign_version':'2'},"
         "{'number':'+14155550122','campaign_name':'c'}",
         2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char message[512];
        snprintf(message, sizeof message, "{'entries':[%s]}", cases[i].entries);
        assert_int_equal(message_encode_text(&stage, "send_campaigns", message), CLY_OK);
        check_case(stage.encoder.batch.sendouts == cases[i].sendouts, cases[i].entries);
    }
}

static void what_was_written_can_be_sent_as_it_was(void **state) {
    static const char body[] = "{\"entries\":[{\"client\":\"+14155550123\",\"campaignName\":\"c\"}]}";
    static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const cly_operation *operation = cly_operation_find("send_campaigns", 14);
    (void)state;
    cly_error_clear(&stage.error);
    assert_int_equal(message_encode_text(&stage, "send_session", "{'number':'+14155550123','text':'x'}"),
                     CLY_OK);
    assert_int_equal(cly_encoder_repeat(&stage.encoder, operation, body, sizeof body - 1, (cly_batch){1, 1},
                                        parent, &stage.error),
                     CLY_OK);
    assert_int_equal(stage.encoder.body.length, sizeof body - 1);
    assert_memory_equal(stage.encoder.body.data, body, sizeof body - 1);
    assert_string_equal(stage.encoder.path.data, "/send/campaigns");
    assert_string_equal(stage.encoder.method, "POST");
    assert_string_equal(stage.encoder.traceparent, parent);
    assert_int_equal(stage.encoder.batch.entries, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(both_forms_are_the_same_bytes),
        TEST(what_is_refused_names_every_fault),
        TEST(a_message_is_a_table),
        TEST(the_sender_of_the_client_is_the_default),
        TEST(a_good_message_follows_a_bad_one),
        TEST(a_request_says_where_it_goes),
        TEST(a_request_stays_inside_the_business),
        TEST(slashes_in_disguise_climb_nowhere),
        TEST(a_long_path_is_refused),
        TEST(entries_are_counted_as_they_are_written),
        TEST(sendouts_are_counted_by_campaign_and_version),
        TEST(what_was_written_can_be_sent_as_it_was),
    };
    return cmocka_run_group_tests_name("core/encode/encoder", tests, NULL, NULL);
}
