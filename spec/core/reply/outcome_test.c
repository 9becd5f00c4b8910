/* The verdict on replies that are files, spec/fixtures/replies, and on attempts
 * that ended without a whole one. */
#include "core/reply/outcome.h"

#include "core/call/call.h"
#include "spec/core/edge_support.h"
#include "spec/core/fixture_support.h"
#include "spec/core/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cly_operation *operation_of(const char *name) {
    const cly_operation *found = cly_operation_find(name, strlen(name));
    if (found == NULL) fail_msg("no operation %s", name);
    return found;
}

/* ---- fixtures ---- */

/* A field that the fixture does not name is not looked at; null: it is absent. */
static void expect_text(const json_t *expect, const char *field, const char *actual, const char *name) {
    const json_t *wanted = json_object_get(expect, field);
    char description[256];
    if (wanted == NULL) return;
    snprintf(description, sizeof description, "%s, %s", name, field);
    check_case_text(actual, json_string_value(wanted), description);
}

static void expect_texts(const json_t *expect, const cly_response *response, const char *name) {
    static const struct {
        const char *field;
        cly_reply_text text;
    } fields[] = {
        {"id", CLY_TEXT_ID},
        {"code", CLY_TEXT_CODE},
        {"type", CLY_TEXT_TYPE},
        {"user_title", CLY_TEXT_USER_TITLE},
        {"user_message", CLY_TEXT_USER_MESSAGE},
        {"trace_id", CLY_TEXT_TRACE_ID},
    };
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        expect_text(expect, fields[i].field, cly_response_text(response, fields[i].text), name);
}

static void expect_error(const json_t *fixture, const cly_error *error, const char *name) {
    const json_t *expect = json_object_get(fixture, "expect");
    bool is_success = json_is_null(json_object_get(expect, "kind"));
    bool wants_hint = json_is_true(json_object_get(expect, "hint"));
    check_case(json_object_get(expect, "kind") != NULL, name);
    check_case(is_success == (error->kind == CLY_OK), name);
    check_case((error->hint != NULL) == wants_hint, name);
    if (is_success) return;
    expect_text(expect, "kind", cly_kind_name(error->kind), name);
    expect_text(expect, "outcome", cly_outcome_name(error->outcome), name);
    expect_text(expect, "message", error->message, name);
    check_case(error->status == json_integer_value(json_object_get(fixture, "status")), name);
    check_case(error->message[0] != '\0', name);
}

static void judge_fixture(const char *name, const json_t *fixture) {
    cly_report report = {CLY_END_REPLY, true, 0, -1, NULL, NULL, 0};
    cly_call_rules rules = {{1, false}, cly_retry_quota_make(), "api-key", false};
    cly_call call;
    report.status = (int)json_integer_value(json_object_get(fixture, "status"));
    report.body = fixture_body(fixture, &report.length);
    report.body = edge_copy(report.body, report.length);
    cly_call_init(&call);
    cly_call_begin(&call, operation_of(fixture_text(fixture, "operation")), (cly_batch){0, 0}, 30, 0);
    assert_int_equal(cly_call_next(&call, 0), CLY_STEP_SEND);
    cly_call_sent(&call);
    cly_call_report(&call, &rules, &report, 0, 1);
    expect_error(fixture, &call.error, name);
    expect_texts(json_object_get(fixture, "expect"), &call.response, name);
    cly_call_clear(&call);
}

static void replies_are_judged_as_the_fixtures_say(void **state) {
    (void)state;
    fixture_each("replies", judge_fixture);
}

/* ---- tables ---- */

typedef struct ending {
    const char *description;
    cly_end end;
    bool bytes_left;
    int status;
    const char *body;
    cly_kind kind;
    cly_outcome outcome;
    const char *message; /* a part of it */
} ending;

static const ending endings[] = {
    {"no name, no connection, no TLS", CLY_END_UNREACHED, false, 0, "", CLY_NETWORK, CLY_NOT_SENT,
     "cannot reach the API: why"},
    {"lost before a byte left", CLY_END_LOST, false, 0, "", CLY_NETWORK, CLY_NOT_SENT,
     "before anything was sent"},
    {"lost after bytes left", CLY_END_LOST, true, 0, "", CLY_NETWORK, CLY_UNKNOWN,
     "after the request had begun"},
    {"the API's certificate was not verified", CLY_END_UNTRUSTED, false, 0, "", CLY_NETWORK, CLY_NOT_SENT,
     "cannot verify the API's certificate: why"},
    {"the proxy's certificate was not verified", CLY_END_PROXY_UNTRUSTED, false, 0, "", CLY_NETWORK,
     CLY_NOT_SENT, "cannot verify the proxy's certificate: why"},
    {"the proxy refused", CLY_END_PROXY_REFUSED, false, 0, "", CLY_NETWORK, CLY_NOT_SENT,
     "the proxy refused to connect to the API: why"},
    {"time ran out before", CLY_END_TIMEOUT, false, 0, "", CLY_TIMEOUT, CLY_NOT_SENT,
     "before anything was sent"},
    {"time ran out after", CLY_END_TIMEOUT, true, 0, "", CLY_TIMEOUT, CLY_UNKNOWN,
     "after the request had begun"},
    {"canceled before", CLY_END_CANCELED, false, 0, "", CLY_CANCELED, CLY_NOT_SENT,
     "before anything was sent"},
    {"canceled after", CLY_END_CANCELED, true, 0, "", CLY_CANCELED, CLY_UNKNOWN,
     "after the request had begun"},
    {"no memory to try", CLY_END_NO_MEMORY, false, 0, "", CLY_OVERLOADED, CLY_NOT_SENT, "not enough memory"},
    {"no file descriptor for a connection", CLY_END_NO_DESCRIPTOR, false, 0, "", CLY_OVERLOADED, CLY_NOT_SENT,
     "no file descriptor is free"},
    {"headers without end", CLY_END_TOO_BIG, true, 0, "", CLY_PROTOCOL, CLY_UNKNOWN, "headers are too large"},
    {"a whole reply without a status", CLY_END_REPLY, true, 0, "", CLY_NETWORK, CLY_UNKNOWN,
     "connection was lost"},
    {"a success cut off", CLY_END_LOST, true, 200, "{\"id\":\"01", CLY_NETWORK, CLY_UNKNOWN, "in the middle"},
    {"a success cut off behind its id", CLY_END_LOST, true, 200, "{\"id\":\"01\"}", CLY_NETWORK, CLY_UNKNOWN,
     "in the middle"},
    {"a success that did not end in time", CLY_END_TIMEOUT, true, 200, "{", CLY_TIMEOUT, CLY_UNKNOWN,
     "in the middle"},
    {"a success that was canceled", CLY_END_CANCELED, true, 200, "{", CLY_CANCELED, CLY_UNKNOWN,
     "in the middle"},
    {"a success too big", CLY_END_TOO_BIG, true, 200, "x", CLY_PROTOCOL, CLY_UNKNOWN,
     "larger than 1048576 bytes"},
    {"a refusal cut off is a refusal", CLY_END_LOST, true, 400, "{\"mess", CLY_REJECTED, CLY_REFUSED,
     "the API refused the request"},
    {"a refusal too big is a refusal", CLY_END_TOO_BIG, true, 404, "x", CLY_REJECTED, CLY_REFUSED, "refused"},
    {"a 401 that did not end in time", CLY_END_TIMEOUT, true, 401, "", CLY_AUTH, CLY_REFUSED, "refused"},
    {"a 429 cut off", CLY_END_LOST, true, 429, "", CLY_RATE_LIMITED, CLY_NOT_SENT, "refused"},
    {"a 500 cut off", CLY_END_LOST, true, 500, "", CLY_SERVER, CLY_UNKNOWN, "the server failed"},
    {"a redirect", CLY_END_REPLY, true, 307, "", CLY_PROTOCOL, CLY_REFUSED, "not followed"},
    {"a status that no server has", CLY_END_REPLY, true, 999, "", CLY_PROTOCOL, CLY_UNKNOWN, "failed"},
    {"299 with an empty id", CLY_END_REPLY, true, 299, "{\"id\":\"\"}", CLY_PROTOCOL, CLY_UNKNOWN,
     "holds no id"},
};

static cly_kind judge(const ending *given, const char *operation, cly_error *error) {
    enum { ENTRIES = 3 }; /* of campaigns; others have none */
    cly_report report = {given->end, given->bytes_left, given->status, 7, "why", given->body, 0};
    cly_response response;
    cly_kind kind;
    report.length = strlen(given->body);
    cly_error_clear(error);
    cly_response_init(&response);
    cly_outcome_read(&report, operation_of(operation), &response, NULL);
    kind = cly_outcome_judge(&report, operation_of(operation), (cly_batch){ENTRIES, 1}, &response, error);
    cly_response_clear(&response);
    return kind;
}

static void every_ending_says_whether_it_may_have_arrived(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        cly_error error;
        check_case(judge(&endings[i], "send_session", &error) == endings[i].kind, endings[i].description);
        check_case(error.outcome == endings[i].outcome, endings[i].description);
        check_case(error.status == endings[i].status, endings[i].description);
        check_case(error.retry_after == 7, endings[i].description);
        if (strstr(error.message, endings[i].message) == NULL)
            fail_msg("%s: %s", endings[i].description, error.message);
    }
}

static void a_setting_to_change_is_named_and_no_repetition_is_offered(void **state) {
    static const struct {
        cly_end end;
        const char *named, *too;
    } cases[] = {
        {CLY_END_UNTRUSTED, "ca_file", "connectly doctor"},
        {CLY_END_PROXY_UNTRUSTED, "proxy_ca_file", "connectly doctor"},
        {CLY_END_PROXY_REFUSED, "option proxy", "password"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ending given = {"x", CLY_END_REPLY, false, 0, "", CLY_OK, CLY_NOT_SENT, ""};
        cly_error error;
        given.end = cases[i].end;
        assert_int_equal(judge(&given, "send_template", &error), CLY_NETWORK);
        assert_non_null(strstr(error.hint, cases[i].named));
        assert_non_null(strstr(error.hint, cases[i].too));
        assert_true(error.is_permanent);
        assert_false(cly_error_is_retryable(&error));
    }
}

static void a_proxy_that_is_busy_may_be_asked_again(void **state) {
    static const long final[] = {300, 302, 400, 403, 407, 499},
                      busy[] = {0, 200, 408, 425, 429, 500, 502, 503};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(final); i++) assert_true(cly_outcome_refuses_connect(final[i]));
    for (size_t i = 0; i < COUNT_OF(busy); i++) assert_false(cly_outcome_refuses_connect(busy[i]));
}

/* Whatever came of the rest: a status line of 2xx is no proof against arrival. */
static void nothing_after_a_status_of_success_is_not_sent(void **state) {
    (void)state;
    for (int end = CLY_END_REPLY; end <= CLY_END_NO_MEMORY; end++) {
        ending given = {"x", CLY_END_REPLY, true, 200, "{}", CLY_OK, CLY_NOT_SENT, ""};
        cly_error error;
        given.end = (cly_end)end;
        assert_int_not_equal(judge(&given, "send_template", &error), CLY_OK);
        assert_int_equal(error.outcome, CLY_UNKNOWN);
        assert_false(cly_error_is_retryable(&error));
    }
}

static void bytes_that_left_are_never_not_sent(void **state) {
    (void)state;
    for (int end = CLY_END_REPLY; end < CLY_END_NO_MEMORY; end++) {
        ending given = {"x", CLY_END_REPLY, true, 0, "", CLY_OK, CLY_NOT_SENT, ""};
        cly_error error;
        given.end = (cly_end)end;
        assert_int_not_equal(judge(&given, "send_template", &error), CLY_OK);
        assert_int_equal(error.outcome, CLY_UNKNOWN);
    }
}

/* An id that there was no room for may well be there. */
static void a_reply_that_could_not_be_kept_is_unknown(void **state) {
    cly_report report = {CLY_END_REPLY, true, 200, -1, NULL, "{}", 2};
    cly_response response;
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    cly_response_init(&response);
    response.is_json = response.lacks_memory = true;
    assert_int_equal(
        cly_outcome_judge(&report, operation_of("send_template"), (cly_batch){0, 0}, &response, &error),
        CLY_NETWORK);
    assert_int_equal(error.outcome, CLY_UNKNOWN);
    assert_string_equal(error.message, "not enough memory to read the reply");
    assert_false(cly_error_is_retryable(&error));
}

/* The way out hands through what the API answers. */
static void a_request_of_ones_own_takes_any_json(void **state) {
    static const ending answers[] = {
        {"an object without an id", CLY_END_REPLY, true, 200, "{}", CLY_OK, CLY_NOT_SENT, ""},
        {"a list", CLY_END_REPLY, true, 200, "[1]", CLY_OK, CLY_NOT_SENT, ""},
        {"nothing", CLY_END_REPLY, true, 204, "", CLY_OK, CLY_NOT_SENT, ""},
        {"HTML", CLY_END_REPLY, true, 200, "<p>", CLY_PROTOCOL, CLY_UNKNOWN, "not JSON"},
        {"half of it", CLY_END_LOST, true, 200, "{}", CLY_NETWORK, CLY_UNKNOWN, "in the middle"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        cly_error error;
        check_case(judge(&answers[i], "request", &error) == answers[i].kind, answers[i].description);
        if (answers[i].kind != CLY_OK)
            check_case(error.outcome == answers[i].outcome, answers[i].description);
    }
}

/* A status of success says nothing of the entries. */
static void campaigns_are_judged_by_their_sendouts(void **state) {
    static const ending answers[] = {
        {"all accepted", CLY_END_REPLY, true, 200, "{\"data\":[{\"acceptedCount\":3}]}", CLY_OK, CLY_NOT_SENT,
         ""},
        {"with 201 too", CLY_END_REPLY, true, 201, "{\"data\":[{\"acceptedCount\":3}]}", CLY_OK, CLY_NOT_SENT,
         ""},
        {"part refused", CLY_END_REPLY, true, 200, "{\"data\":[{\"acceptedCount\":2,\"rejectedCount\":1}]}",
         CLY_REJECTED, CLY_UNKNOWN, "1 entries were rejected, 2 accepted"},
        {"all refused", CLY_END_REPLY, true, 200, "{\"data\":[{\"rejectedCount\":3}]}", CLY_REJECTED,
         CLY_REFUSED, "3 entries were rejected, 0 accepted"},
        {"not accounted for", CLY_END_REPLY, true, 200, "{\"data\":[{\"acceptedCount\":2}]}", CLY_PROTOCOL,
         CLY_UNKNOWN, "accounts for 2 of 3 entries"},
        {"no sendouts", CLY_END_REPLY, true, 200, "{}", CLY_PROTOCOL, CLY_UNKNOWN, "does not say how many"},
        {"an id", CLY_END_REPLY, true, 200, "{\"id\":\"a\"}", CLY_PROTOCOL, CLY_UNKNOWN,
         "does not say how many"},
        {"nothing", CLY_END_REPLY, true, 204, "", CLY_PROTOCOL, CLY_UNKNOWN, "does not say how many"},
        {"HTML", CLY_END_REPLY, true, 200, "<p>", CLY_PROTOCOL, CLY_UNKNOWN, "status 200 is not JSON"},
        {"half of it", CLY_END_LOST, true, 200, "{\"data\":[{\"acceptedCount\":3}]}", CLY_NETWORK,
         CLY_UNKNOWN, "in the middle"},
        {"a refusal that counts", CLY_END_REPLY, true, 409, "{\"data\":[{\"acceptedCount\":3}]}",
         CLY_REJECTED, CLY_REFUSED, "the API refused the request"},
        {"a failure that counts", CLY_END_REPLY, true, 500, "{\"data\":[{\"acceptedCount\":3}]}", CLY_SERVER,
         CLY_UNKNOWN, "the server failed"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        cly_error error;
        check_case(judge(&answers[i], "send_campaigns", &error) == answers[i].kind, answers[i].description);
        if (answers[i].kind == CLY_OK) continue;
        check_case(error.outcome == answers[i].outcome, answers[i].description);
        check_case(error.status == answers[i].status && error.hint, answers[i].description);
        check_case(!cly_error_is_retryable(&error), answers[i].description);
        if (strstr(error.message, answers[i].message) == NULL)
            fail_msg("%s: %s", answers[i].description, error.message);
    }
}

/* The way out knows nothing of entries. */
static void a_request_to_the_path_of_campaigns_is_not_judged(void **state) {
    ending given = {"x",    CLY_END_REPLY, true, 200, "{\"data\":[{\"rejectedCount\":3}]}",
                    CLY_OK, CLY_NOT_SENT,  ""};
    cly_error error;
    (void)state;
    assert_int_equal(judge(&given, "request", &error), CLY_OK);
}

/* The API quotes what it was sent, and errors end in logs. */
static void numbers_in_the_apis_message_are_hidden(void **state) {
    ending given = {"x",    CLY_END_REPLY, true, 400, "{\"message\":\"no +14155550123\\n\"}",
                    CLY_OK, CLY_REFUSED,   ""};
    cly_error error;
    (void)state;
    assert_int_equal(judge(&given, "send_template", &error), CLY_REJECTED);
    assert_string_equal(error.message, "no +#?");
}

/* A text without blanks, longer than there is room for: cut, and not to nothing. */
static void a_long_message_of_another_script_is_cut(void **state) {
    ending given = {"x", CLY_END_REPLY, true, 400, NULL, CLY_OK, CLY_REFUSED, ""};
    char body[1024] = "{\"message\":\"";
    cly_error error;
    (void)state;
    for (int i = 0; i < 200; i++) strcat(body, "\xe3\x81\x82");
    strcat(body, "\"}");
    given.body = body;
    assert_int_equal(judge(&given, "send_template", &error), CLY_REJECTED);
    assert_true(strlen(error.message) > 200);
    assert_int_equal(strlen(error.message) % 3, 0);
}

static void hints_prefer_the_code(void **state) {
    ending given = {"x",    CLY_END_REPLY, true, 400, "{\"code\":\"ERROR_CODE_MESSAGE_TEXT_EMPTY\"}",
                    CLY_OK, CLY_REFUSED,   ""};
    cly_error error;
    (void)state;
    assert_int_equal(judge(&given, "send_template", &error), CLY_REJECTED);
    assert_string_equal(error.hint, "give a text");
    given.body = "{\"code\":\"ERROR_CODE_OF_TOMORROW\"}";
    assert_int_equal(judge(&given, "send_template", &error), CLY_REJECTED);
    assert_ptr_equal(error.hint, cly_kind_hint(CLY_REJECTED, CLY_REFUSED));
}

static void a_success_touches_no_error(void **state) {
    ending given = {"x", CLY_END_REPLY, true, 201, "{\"id\":\"a\"}", CLY_OK, CLY_NOT_SENT, ""};
    cly_error error;
    (void)state;
    assert_int_equal(judge(&given, "send_template", &error), CLY_OK);
    assert_int_equal(error.kind, CLY_OK);
    assert_int_equal(error.status, 0);
    assert_null(error.hint);
}

static void a_message_that_was_not_delivered_was_refused(void **state) {
    static const char body[] = "{\"message\":\"no +14155550123\",\"code\":\"ERROR_CODE_MESSAGE_TEXT_EMPTY\"}";
    cly_response response;
    cly_error error;
    (void)state;
    cly_response_init(&response);
    cly_error_clear(&error);
    cly_response_read(&response, body, strlen(body), NULL);
    cly_outcome_delivery(&response, &error);
    assert_int_equal(error.kind, CLY_REJECTED);
    assert_int_equal(error.outcome, CLY_REFUSED);
    assert_int_equal(error.status, 0);
    assert_string_equal(error.message, "no +#");
    assert_string_equal(error.hint, "give a text");
    cly_response_clear(&response);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_judged_as_the_fixtures_say),
        cmocka_unit_test(every_ending_says_whether_it_may_have_arrived),
        cmocka_unit_test(a_setting_to_change_is_named_and_no_repetition_is_offered),
        cmocka_unit_test(a_proxy_that_is_busy_may_be_asked_again),
        cmocka_unit_test(nothing_after_a_status_of_success_is_not_sent),
        cmocka_unit_test(bytes_that_left_are_never_not_sent),
        cmocka_unit_test(a_reply_that_could_not_be_kept_is_unknown),
        cmocka_unit_test(a_request_of_ones_own_takes_any_json),
        cmocka_unit_test(campaigns_are_judged_by_their_sendouts),
        cmocka_unit_test(a_request_to_the_path_of_campaigns_is_not_judged),
        cmocka_unit_test(numbers_in_the_apis_message_are_hidden),
        cmocka_unit_test(a_long_message_of_another_script_is_cut),
        cmocka_unit_test(hints_prefer_the_code),
        cmocka_unit_test(a_success_touches_no_error),
        cmocka_unit_test(a_message_that_was_not_delivered_was_refused),
    };
    return cmocka_run_group_tests_name("core/reply/outcome", tests, NULL, NULL);
}
