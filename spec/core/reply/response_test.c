/* What is read from a body; what follows from it is in outcome_test.c. */
#include "core/reply/response.h"

#include "core/json/json.h"
#include "spec/core/edge_support.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

static cly_response response;

static int begin(void **state) {
    (void)state;
    cly_response_init(&response);
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_response_clear(&response);
    return 0;
}

static void read_bytes(const char *body, size_t length, const char *secret) {
    cly_response_read(&response, edge_copy(body, length), length, secret);
}

static void read_text(const char *body, const char *secret) {
    read_bytes(body, strlen(body), secret);
}

static const char *text(cly_reply_text which) {
    return cly_response_text(&response, which);
}

static void an_id_is_read(void **state) {
    (void)state;
    read_text("{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}", "key");
    assert_true(response.is_json);
    assert_string_equal(text(CLY_TEXT_ID), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    for (int i = CLY_TEXT_MESSAGE; i < CLY_TEXT_COUNT; i++) assert_null(text((cly_reply_text)i));
}

static void a_short_key_hides_no_part_of_an_id(void **state) {
    (void)state;
    read_text("{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}", "A");
    check_case_text(text(CLY_TEXT_ID), "01ARZ3NDEKTSV4RRFFQ69G5FAV", "a short key");
    read_text("{\"id\":\"secret-key\"}", "secret-key");
    check_case_text(text(CLY_TEXT_ID), "**********", "a longer one");
}

static void the_older_spelling_is_read(void **state) {
    (void)state;
    read_text("{\"user_title\":\"t\",\"userMessage\":null,\"user_message\":\"m\",\"cnt_trace_id\":\"1\"}",
              NULL);
    assert_string_equal(text(CLY_TEXT_USER_TITLE), "t");
    assert_string_equal(text(CLY_TEXT_USER_MESSAGE), "m");
    assert_string_equal(text(CLY_TEXT_TRACE_ID), "1");
}

static void no_digit_of_a_trace_id_is_lost(void **state) {
    static const struct {
        const char *body, *trace_id;
    } cases[] = {
        {"{\"cntTraceId\":\"18446744073709551615\"}", "18446744073709551615"},
        {"{\"cntTraceId\":18446744073709551615}", "18446744073709551615"},
        {"{\"cntTraceId\":9007199254740993}", "9007199254740993"},
        {"{\"cntTraceId\":9223372036854775807}", "9223372036854775807"},
        {"{\"cntTraceId\":-5}", "-5"},
        {"{\"cntTraceId\":155555555555555555551555555555555555555555}",
         "155555555555555555551555555555555555555555"},
        {"{\"cntTraceId\":1e5}", NULL},
        {"{\"cntTraceId\":1.5}", NULL},
        {"{\"cntTraceId\":true}", NULL},
        {"{\"cntTraceId\":{}}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        read_text(cases[i].body, NULL);
        check_case_text(text(CLY_TEXT_TRACE_ID), cases[i].trace_id, cases[i].body);
    }
}

/* By these an error is told in a line: what a gateway echoes into them stays out. */
static void codes_and_traces_name_no_customer(void **state) {
    static const struct {
        cly_reply_text which;
        const char *body, *kept;
    } cases[] = {
        {CLY_TEXT_CODE, "{\"code\":\"NO_\\u002b16045550199\"}", "NO_+#"},
        {CLY_TEXT_CODE, "{\"code\":\"16045550199\"}", "#"},
        {CLY_TEXT_TYPE, "{\"type\":\"+1 604 555 0199\"}", "+#"},
        {CLY_TEXT_TRACE_ID, "{\"cnt_trace_id\":\"+16045550199\"}", "+#"},
        {CLY_TEXT_TRACE_ID, "{\"cntTraceId\":\"16045550199\"}", "16045550199"},
        {CLY_TEXT_ID, "{\"id\":\"+16045550199\"}", "+16045550199"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        read_text(cases[i].body, NULL);
        check_case_text(text(cases[i].which), cases[i].kept, cases[i].body);
    }
}

static void details_stay_json(void **state) {
    static const struct {
        const char *body, *details;
    } cases[] = {
        {"{\"details\":{\"b\":[1,2.5,null],\"a\":\"x\"}}", "{\"b\":[1,2.5,null],\"a\":\"x\"}"},
        {"{\"details\":\"text\"}", "\"text\""},
        {"{\"details\":[]}", "[]"},
        {"{\"details\":null}", NULL},
        {"{\"details\":{\"n\":18446744073709551615}}", "{\"n\":18446744073709551615}"},
        {"{\"details\": { \"a\" :\n1.50, \"a\": \"\\u00e9\\/\" } }",
         "{ \"a\" :\n1.50, \"a\": \"\\u00e9\\/\" }"},
        {"{\"details\":false}", "false"},
        {"{\"details\":{},\"details\":{}}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        read_text(cases[i].body, NULL);
        check_case_text(text(CLY_TEXT_DETAILS), cases[i].details, cases[i].body);
    }
}

/* Bodies of which nothing can be read are kept in part, to be looked at. */
static const struct {
    const char *description, *body, *kept;
} bodies[] = {
    {"HTML", "<html>502</html>", "<html>502</html>"},
    {"nothing", "", NULL},
    {"half of JSON", "{\"id\":\"01", "{\"id\":\"01"},
    {"another object", "{\"status\":\"ok\"}", "{\"status\":\"ok\"}"},
    {"an array", "[1]", "[1]"},
    {"a text", "\"id\"", "\"id\""},
    {"an id that is a number", "{\"id\":5}", "{\"id\":5}"},
    {"an id that stands twice", "{\"id\":\"a\",\"id\":\"b\"}", "{\"id\":\"a\",\"id\":\"b\"}"},
    {"an error", "{\"message\":\"m\"}", NULL},
};

static void what_cannot_be_read_is_kept_in_part(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        read_text(bodies[i].body, NULL);
        check_case_text(text(CLY_TEXT_BODY), bodies[i].kept, bodies[i].description);
    }
}

/* An id that is cut is the id of another message, or of none. */
static void an_id_with_a_zero_byte_is_none(void **state) {
    static const char *const ids[] = {"{\"id\":\"a\\u0000b\"}", "{\"id\":\"\\u0000\"}",
                                      "{\"id\":\"a\\u0000\"}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        read_text(ids[i], "key");
        check_case(response.is_json, ids[i]);
        check_case_text(text(CLY_TEXT_ID), NULL, ids[i]);
        check_case_text(text(CLY_TEXT_BODY), ids[i], ids[i]);
    }
    read_text("{\"message\":\"a\\u0000b\"}", "key");
    assert_string_equal(text(CLY_TEXT_MESSAGE), "a?b");
}

/* A success that is long in all its parts, with one piece of memory. */
static void a_success_grows_the_buffer_once(void **state) {
    char body[4096] = "{\"id\":\"", filler[1001];
    (void)state;
    memset(filler, 'x', sizeof filler - 1);
    filler[1000] = '\0';
    strcat(strcat(strcat(strcat(body, filler), "\",\"message\":\""), filler), "\",\"details\":[\"");
    strcat(strcat(body, filler), "\"]}");
    memory_fail(1, MEMORY_FAILS_FROM_THEN_ON);
    read_text(body, "key");
    assert_false(memory_restore());
    assert_false(response.lacks_memory);
    assert_string_equal(text(CLY_TEXT_ID), filler);
    assert_string_equal(text(CLY_TEXT_MESSAGE), filler);
}

static void what_there_is_no_memory_for_is_not_kept(void **state) {
    static const char *const kept[] = {"{\"id\":\"a\"}", "{\"message\":\"key\"}", "{\"details\":[\"key\"]}",
                                       "<p>"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        cly_response_clear(&response);
        memory_fail(0, MEMORY_FAILS_FROM_THEN_ON);
        read_text(kept[i], "key");
        assert_true(memory_restore());
        check_case(response.lacks_memory, kept[i]);
        for (int which = 0; which < CLY_TEXT_COUNT; which++)
            check_case_text(text((cly_reply_text)which), NULL, kept[i]);
    }
    read_text(kept[0], "key");
    assert_false(response.lacks_memory);
    assert_string_equal(text(CLY_TEXT_ID), "a");
}

static void zero_bytes_do_not_end_the_body(void **state) {
    (void)state;
    read_bytes("a\0b\0", 4, NULL);
    assert_string_equal(text(CLY_TEXT_BODY), "a?b?");
}

static void only_the_start_of_a_body_is_kept(void **state) {
    char body[2 * CLY_BODY_SHOWN];
    (void)state;
    memset(body, 'x', sizeof body);
    for (size_t length = CLY_BODY_SHOWN - 1; length <= CLY_BODY_SHOWN + 1; length++) {
        read_bytes(body, length, "secret");
        assert_int_equal(strlen(text(CLY_TEXT_BODY)), length < CLY_BODY_SHOWN ? length : CLY_BODY_SHOWN);
    }
    read_bytes(body, sizeof body, NULL);
    assert_int_equal(strlen(text(CLY_TEXT_BODY)), CLY_BODY_SHOWN);
}

static void every_beginning_is_read_safely(void **state) {
    static const char body[] = "{\"id\":\"\\u20ac\",\"message\":\"m\xe2\x82\xac\",\"details\":{\"a\":[1,2]},"
                               "\"cntTraceId\":15555555555555555555}";
    (void)state;
    for (size_t length = 0; length < sizeof body - 1; length++) {
        read_bytes(body, length, "m");
        assert_null(text(CLY_TEXT_ID));
        assert_false(response.is_json);
    }
    read_bytes(body, sizeof body - 1, NULL);
    assert_string_equal(text(CLY_TEXT_ID), "\xe2\x82\xac");
    assert_string_equal(text(CLY_TEXT_TRACE_ID), "15555555555555555555");
}

/* ---- secrets ---- */

static const struct {
    const char *description, *secret, *body;
} echoes[] = {
    {"in a message", "s3/cret+", "{\"message\":\"bad key s3/cret+\"}"},
    {"in a code", "s3/cret+", "{\"code\":\"s3/cret+\"}"},
    {"in an id", "s3/cret+", "{\"id\":\"s3/cret+\"}"},
    {"in details", "s3/cret+", "{\"details\":{\"headers\":[\"X-API-Key: s3/cret+\"]}}"},
    {"as a key of details", "s3/cret+", "{\"details\":{\"s3/cret+\":1}}"},
    {"in details, escaped", "s3\"cr\\et", "{\"details\":{\"key\":\"s3\\\"cr\\\\et\"}}"},
    {"in details, escaped as \\u", "s3/cret+", "{\"details\":\"s3\\/cret\\u002b\"}"},
    {"in HTML", "s3/cret+", "<p>X-API-Key: s3/cret+</p>"},
    {"in details, every character escaped", "s3/cret+",
     "{\"details\":\"\\u0073\\u0033\\u002F\\u0063\\u0072\\u0065\\u0074\\u002B\"}"},
    {"in details, in JSON in a string", "s3\"cret+",
     "{\"details\":\"{\\\"key\\\":\\\"s3\\\\\\\"cret\\\\u002b\\\"}\"}"},
    {"as a key of details, escaped", "s3/cret+", "{\"details\":{\"s3\\/cret+\":{\"\\u00733\\/cret+\":1}}}"},
    {"in a message, escaped", "s3/cret+", "{\"message\":\"s3\\/cret\\u002B\"}"},
    {"in a message, in JSON in a string", "s3/cret+", "{\"message\":\"{\\\"key\\\":\\\"s3\\\\/cret+\\\"}\"}"},
    {"a part of it left in an error", "s3/cret+++", "{\"message\":\"s3\\/cret++"},
    {"twice", "s3/cret+", "s3/cret+s3/cret+"},
    {"in JSON of another shape", "s3/cret+", "{\"error\":\"bad key s3/cret+\"}"},
};

static void check_masked(const char *kept, const char *description) {
    static const char *const pieces[] = {"s3", "cr", "et"};
    for (size_t i = 0; kept && i < COUNT_OF(pieces); i++)
        if (strstr(kept, pieces[i])) fail_msg("%s: %s", description, kept);
}

/* A gateway may send back what it was sent. */
static void a_key_that_is_echoed_is_masked(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(echoes); i++) {
        read_text(echoes[i].body, echoes[i].secret);
        for (int which = 0; which < CLY_TEXT_COUNT; which++)
            check_masked(text((cly_reply_text)which), echoes[i].description);
    }
}

/* The same in a body of which nothing is known, as a PHP gateway would write it. */
static const struct {
    const char *description, *secret, *body;
} escaped[] = {
    {"in JSON of another shape, with escaped slashes", "s3/cret+", "{\"error\":\"bad key s3\\/cret+\"}"},
    {"in JSON of another shape, with escaped quotes", "s3\"cret", "{\"error\":\"bad key s3\\\"cret\"}"},
    {"in JSON of another shape, with a backslash", "s3\\cret", "{\"error\":\"bad key s3\\\\cret\"}"},
    {"in JSON of another shape, as \\u in capitals", "s3/cret+", "{\"error\":\"s3\\u002Fcret\\u002B\"}"},
    {"in JSON of another shape, as \\u in small letters", "s3/cret+",
     "{\"error\":\"\\u00733\\u002fcre\\u0074\\u002b\"}"},
    {"in half of JSON, with escaped slashes", "s3/cret+", "{\"error\":\"bad key s3\\/cret+"},
};

static void a_key_that_is_echoed_with_escapes_is_masked(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(escaped); i++) {
        read_text(escaped[i].body, escaped[i].secret);
        check_masked(text(CLY_TEXT_BODY), escaped[i].description);
    }
}

static void no_half_of_a_key_stays_at_the_cut(void **state) {
    char body[CLY_BODY_SHOWN + 64];
    (void)state;
    for (size_t at = CLY_BODY_SHOWN - 10; at <= CLY_BODY_SHOWN; at++) {
        memset(body, '.', sizeof body);
        memcpy(body + at, "s3cret-key", 10);
        read_bytes(body, sizeof body, "s3cret-key");
        check_masked(text(CLY_TEXT_BODY), "at the cut");
        read_bytes(body, at + 10, "s3cret-key");
        check_masked(text(CLY_TEXT_BODY), "at the cut and the end");
    }
}

/* The escapes make it longer than it is. */
static void no_half_of_an_escaped_key_stays_at_the_cut(void **state) {
    static const char key[] = "\\u00733cret\\u002fkey";
    char body[CLY_BODY_SHOWN + 64];
    (void)state;
    for (size_t at = CLY_BODY_SHOWN - sizeof key; at <= CLY_BODY_SHOWN; at++) {
        memset(body, '.', sizeof body);
        memcpy(body + at, key, sizeof key - 1);
        read_bytes(body, sizeof body, "s3cret/key");
        check_masked(text(CLY_TEXT_BODY), "at the cut");
        assert_null(strstr(text(CLY_TEXT_BODY), "u0073"));
    }
}

/* Stars over an echo leave details that can be decoded, or none. */
static void masked_details_are_json_still(void **state) {
    static const struct {
        const char *details, *secret, *kept;
    } cases[] = {
        {"{\"details\":[\"a s3\\/cret b\"]}", "s3/cret", "[\"a ******** b\"]"},
        {"{\"details\":{\"s3cret\":1}}", "s3cret", "{\"******\":1}"},
        {"{\"details\":{\"s3cret\":1}}", "\"s3cret", NULL},
        {"{\"details\":[1234567890]}", "34567", NULL},
        {"{\"details\":\"\\u00e9f\"}", "e9f", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        read_text(cases[i].details, cases[i].secret);
        check_case_text(text(CLY_TEXT_DETAILS), cases[i].kept, cases[i].details);
    }
}

/* ---- sizes ---- */

static char *filled(const char *head, char fill, size_t count, const char *tail) {
    size_t length = strlen(head);
    char *body = malloc(length + count + strlen(tail) + 1);
    assert_non_null(body);
    memcpy(body, head, length);
    memset(body + length, fill, count);
    strcpy(body + length + count, tail);
    return body;
}

static void a_body_of_a_mebibyte_is_read(void **state) {
    char *body = filled("{\"id\":\"x\",\"message\":\"", 'm', CLY_REPLY_MAX, "\"}");
    (void)state;
    read_text(body, "key");
    assert_string_equal(text(CLY_TEXT_ID), "x");
    assert_int_equal(strlen(text(CLY_TEXT_MESSAGE)), CLY_REPLY_MAX);
    free(body);
    body = filled("", '<', CLY_REPLY_MAX + 1, "");
    read_text(body, "key");
    assert_int_equal(strlen(text(CLY_TEXT_BODY)), CLY_BODY_SHOWN);
    free(body);
}

static void a_deep_body_is_no_json(void **state) {
    char *body = filled("{\"id\":\"x\",\"a\":", '[', 100000, "");
    (void)state;
    read_text(body, NULL);
    assert_false(response.is_json);
    assert_null(text(CLY_TEXT_ID));
    free(body);
}

static void a_second_reply_replaces_the_first(void **state) {
    (void)state;
    read_text("{\"id\":\"a\",\"message\":\"m\"}", NULL);
    read_text("{\"id\":\"b\"}", NULL);
    assert_string_equal(text(CLY_TEXT_ID), "b");
    assert_null(text(CLY_TEXT_MESSAGE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_id_is_read),
        TEST(a_short_key_hides_no_part_of_an_id),
        TEST(the_older_spelling_is_read),
        TEST(no_digit_of_a_trace_id_is_lost),
        TEST(codes_and_traces_name_no_customer),
        TEST(details_stay_json),
        TEST(what_cannot_be_read_is_kept_in_part),
        TEST(an_id_with_a_zero_byte_is_none),
        TEST(a_success_grows_the_buffer_once),
        TEST(what_there_is_no_memory_for_is_not_kept),
        TEST(zero_bytes_do_not_end_the_body),
        TEST(only_the_start_of_a_body_is_kept),
        TEST(every_beginning_is_read_safely),
        TEST(a_key_that_is_echoed_is_masked),
        TEST(a_key_that_is_echoed_with_escapes_is_masked),
        TEST(no_half_of_a_key_stays_at_the_cut),
        TEST(no_half_of_an_escaped_key_stays_at_the_cut),
        TEST(masked_details_are_json_still),
        TEST(a_body_of_a_mebibyte_is_read),
        TEST(a_deep_body_is_no_json),
        TEST(a_second_reply_replaces_the_first),
    };
    return cmocka_run_group_tests_name("core/reply/response", tests, NULL, NULL);
}
