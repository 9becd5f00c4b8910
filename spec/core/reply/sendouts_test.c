/* What replies to campaigns say, and what follows. The whole of a call is call_test's,
 * the way through Lua spec/lua/campaigns_spec.lua's. */
#include "core/reply/sendouts.h"

#include "spec/core/edge_support.h"
#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cly_sendouts sendouts;
static cly_json_value problem;

static bool read_length(const char *body, size_t length) {
    return cly_sendouts_read(&sendouts, &problem, edge_copy(body, length), length);
}

static bool read(const char *body) {
    return read_length(body, strlen(body));
}

/* ---- replies that say how many ---- */

typedef struct reading {
    const char *body;
    int count;
    uint64_t accepted, rejected;
    const char *problem; /* the JSON of the first, or NULL */
    bool all_failed;
} reading;

static const reading readings[] = {
    {"{\"data\":[{\"acceptedCount\":2,\"rejectedCount\":0,\"error\":null}]}", 1, 2, 0, NULL, false},
    {" { \"data\" : [ { \"acceptedCount\" : 2 } , { \"acceptedCount\" : 3 } ] } ", 2, 5, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":2},\n{\"rejectedCount\":3}]}", 2, 2, 3, NULL, false},
    {"{\"data\":[{\"rejectedCount\":3}]}", 1, 0, 3, NULL, false},
    {"{\"data\":[{\"acceptedCount\":0}]}", 1, 0, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":null,\"rejectedCount\":1}]}", 1, 0, 1, NULL, false},
    {"{\"\\u0064ata\":[{\"\\u0061cceptedCount\":2}]}", 1, 2, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":2,\"x\":{\"acceptedCount\":9,\"error\":1},\"y\":[{}]}],\"z\":[]}", 1, 2,
     0, NULL, false},
    {"{\"x\":{\"data\":1},\"data\":[{\"acceptedCount\":2,\"a\":1,\"a\":2}],\"x\":1}", 1, 2, 0, NULL, false},
    /* digits in strings */
    {"{\"data\":[{\"acceptedCount\":\"3\",\"rejectedCount\":\"0\"}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":\"007\"}]}", 1, 7, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":\"\\u0031\\u0032\"}]}", 1, 12, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":\"999999999999999\"}]}", 1, 999999999999999, 0, NULL, false},
    /* numbers in any notation */
    {"{\"data\":[{\"acceptedCount\":3.0}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":3.000e0}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":0.3E+1}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":1.25e2}]}", 1, 125, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":3000e-3}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":-0,\"rejectedCount\":-0.0e5}]}", 1, 0, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":0e99999999999999999999}]}", 1, 0, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":999999999999999}]}", 1, 999999999999999, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":1e14}]}", 1, 100000000000000, 0, NULL, false},
    /* errors of any type */
    {"{\"data\":[{\"acceptedCount\":3,\"error\":\"x\"}]}", 1, 3, 0, "\"x\"", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":true}]}", 1, 3, 0, "true", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":0}]}", 1, 3, 0, "0", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":{}}]}", 1, 3, 0, "{}", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":[]}]}", 1, 3, 0, "[]", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":\" \"}]}", 1, 3, 0, "\" \"", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":\"\\u0000\"}]}", 1, 3, 0, "\"\\u0000\"", true},
    {"{\"data\":[{\"error\":\"x\"}]}", 1, 0, 0, "\"x\"", true},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":false}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"acceptedCount\":3,\"error\":\"\"}]}", 1, 3, 0, NULL, false},
    {"{\"data\":[{\"error\":\"x\"},{\"error\":\"y\"}]}", 2, 0, 0, "\"x\"", true},
    {"{\"data\":[{\"error\":\"x\"},{\"acceptedCount\":0}]}", 2, 0, 0, "\"x\"", false},
    {"{\"data\":[{\"acceptedCount\":0},{\"error\":1}]}", 2, 0, 0, "1", false},
    /* of the whole */
    {"{\"data\":[{\"acceptedCount\":3}],\"error\":\"x\"}", 1, 3, 0, "\"x\"", false},
    {"{\"error\":{},\"data\":[{\"acceptedCount\":3}]}", 1, 3, 0, "{}", false},
    {"{\"error\":\"z\",\"data\":[{\"error\":1}]}", 1, 0, 0, "1", true},
    {"{\"error\":\"\",\"data\":[{\"acceptedCount\":3}]}", 1, 3, 0, NULL, false},
};

static void check_reading(const reading *wanted) {
    check_case(read(wanted->body), wanted->body);
    check_case(sendouts.count == wanted->count, wanted->body);
    check_case(sendouts.accepted == wanted->accepted, wanted->body);
    check_case(sendouts.rejected == wanted->rejected, wanted->body);
    check_case(sendouts.all_failed == wanted->all_failed, wanted->body);
    check_case(sendouts.has_problem == (wanted->problem != NULL), wanted->body);
    check_case((problem.type == CLY_JSON_ABSENT) == (wanted->problem == NULL), wanted->body);
    if (wanted->problem == NULL) return;
    check_case(problem.length == strlen(wanted->problem), wanted->body);
    check_case(memcmp(problem.start, wanted->problem, problem.length) == 0, wanted->body);
}

static void sendouts_are_counted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(readings); i++) check_reading(&readings[i]);
}

/* ---- replies that do not ---- */

static const char *const unreadable[] = {
    "",
    "null",
    "3",
    "\"text\"",
    "[]",
    "{}",
    "[{\"data\":[{\"acceptedCount\":3}]}]",
    "{\"error\":\"x\"}",
    "{\"data\":null}",
    "{\"data\":\"x\"}",
    "{\"data\":3}",
    "{\"data\":[]}",
    "{\"data\":{}}",
    "{\"data\":{\"1\":{\"acceptedCount\":3}}}",
    "{\"data\":[ ]}",
    "{\"Data\":[{\"acceptedCount\":3}]}",
    "{\"x\":{\"data\":[{\"acceptedCount\":3}]}}",
    /* one sendout that says nothing spoils all */
    "{\"data\":[{}]}",
    "{\"data\":[null]}",
    "{\"data\":[\"x\"]}",
    "{\"data\":[3]}",
    "{\"data\":[[]]}",
    "{\"data\":[{\"acceptedCount\":3},{}]}",
    "{\"data\":[{\"acceptedCount\":3},null]}",
    "{\"data\":[{},{\"acceptedCount\":3}]}",
    "{\"data\":[[{\"acceptedCount\":3}]]}",
    "{\"data\":[{\"acceptedCount\":null,\"rejectedCount\":null,\"error\":null}]}",
    "{\"data\":[{\"error\":false}]}",
    "{\"data\":[{\"error\":\"\"}]}",
    /* counts that are none */
    "{\"data\":[{\"acceptedCount\":\"two\",\"rejectedCount\":0}]}",
    "{\"data\":[{\"acceptedCount\":-1}]}",
    "{\"data\":[{\"acceptedCount\":1.5}]}",
    "{\"data\":[{\"acceptedCount\":15e-1}]}",
    "{\"data\":[{\"acceptedCount\":1.00000000000000000001}]}",
    "{\"data\":[{\"acceptedCount\":1e-999}]}",
    "{\"data\":[{\"acceptedCount\":1e-9999999999999999999999}]}",
    "{\"data\":[{\"acceptedCount\":3,\"rejectedCount\":\"x\"}]}",
    "{\"data\":[{\"acceptedCount\":3,\"rejectedCount\":{}}]}",
    "{\"data\":[{\"acceptedCount\":3,\"rejectedCount\":[]}]}",
    "{\"data\":[{\"acceptedCount\":3,\"rejectedCount\":false}]}",
    "{\"data\":[{\"acceptedCount\":true}]}",
    "{\"data\":[{\"acceptedCount\":\"\"}]}",
    "{\"data\":[{\"acceptedCount\":\" 3\"}]}",
    "{\"data\":[{\"acceptedCount\":\"3 \"}]}",
    "{\"data\":[{\"acceptedCount\":\"+3\"}]}",
    "{\"data\":[{\"acceptedCount\":\"-3\"}]}",
    "{\"data\":[{\"acceptedCount\":\"3.0\"}]}",
    "{\"data\":[{\"acceptedCount\":\"0x3\"}]}",
    "{\"data\":[{\"acceptedCount\":\"3\\u0000\"}]}",
    "{\"data\":[{\"acceptedCount\":\"\\u0663\"}]}",
    "{\"data\":[{\"acceptedCount\":\"\xd9\xa3\"}]}",
    /* too long: whatever takes them for a number would say another */
    "{\"data\":[{\"acceptedCount\":\"0000000000000003\"}]}",
    "{\"data\":[{\"acceptedCount\":1e15}]}",
    "{\"data\":[{\"acceptedCount\":18446744073709551619}]}",
    "{\"data\":[{\"acceptedCount\":1e999}]}",
    "{\"data\":[{\"acceptedCount\":1e99999999999999999999}]}",
    /* a wanted name twice: nobody can say which is meant */
    "{\"data\":[{\"acceptedCount\":3,\"acceptedCount\":3}]}",
    "{\"data\":[{\"acceptedCount\":0,\"\\u0061cceptedCount\":3}]}",
    "{\"data\":[{\"acceptedCount\":3,\"rejectedCount\":3,\"rejectedCount\":0}]}",
    "{\"data\":[{\"acceptedCount\":3,\"error\":\"x\",\"error\":null}]}",
    "{\"data\":[{\"acceptedCount\":3}],\"data\":[{\"acceptedCount\":3}]}",
    "{\"data\":[{\"acceptedCount\":3}],\"error\":1,\"error\":null}",
};

static void what_does_not_say_how_many_is_nothing(void **state) {
    static const cly_sendouts nothing = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(unreadable); i++) {
        check_case(!read(unreadable[i]), unreadable[i]);
        check_case(memcmp(&sendouts, &nothing, sizeof nothing) == 0, unreadable[i]);
        check_case(problem.type == CLY_JSON_ABSENT, unreadable[i]);
    }
}

/* Of a text that breaks off no part counts. */
static void every_beginning_is_nothing(void **state) {
    static const char body[] =
        "{\"data\":[{\"acceptedCount\":\"1\",\"error\":\"x\"},{\"rejectedCount\":2.0e0}]}";
    (void)state;
    assert_true(read(body));
    for (size_t length = 0; length < sizeof body - 1; length++) assert_false(read_length(body, length));
}

/* ---- sizes ---- */

static char *repeated(const char *item, int count) {
    char *body = malloc(strlen(item) * (size_t)count + (size_t)count + 32), *at = body;
    assert_non_null(body);
    at += sprintf(at, "{\"data\":[");
    for (int i = 0; i < count; i++) at += sprintf(at, "%s%s", i ? "," : "", item);
    sprintf(at, "]}");
    return body;
}

/* A sum that wrapped around could say that all were accepted. */
static void huge_counts_do_not_overflow(void **state) {
    char *body = repeated("{\"acceptedCount\":999999999999999,\"rejectedCount\":\"999999999999999\"}", 20000);
    cly_error error;
    (void)state;
    assert_true(read(body));
    assert_int_equal(sendouts.count, 20000);
    assert_true(sendouts.accepted == UINT64_MAX && sendouts.rejected == UINT64_MAX);
    cly_error_clear(&error);
    assert_int_equal(cly_sendouts_judge(&sendouts, (cly_batch){3, 1}, &error), CLY_REJECTED);
    assert_int_equal(error.outcome, CLY_UNKNOWN);
    assert_non_null(strstr(error.message, "; the reply does not account for all"));
    free(body);
}

static void many_digits_are_read_in_time(void **state) {
    static char body[512 * 1024];
    char *at = body;
    (void)state;
    at += sprintf(at, "{\"data\":[{\"acceptedCount\":3.");
    memset(at, '0', 400000);
    sprintf(at + 400000, "}]}");
    assert_true(read(body));
    assert_true(sendouts.accepted == 3);
    sprintf(at + 400000, "1}]}");
    assert_false(read(body));
    sprintf(at + 400000, "3e400001}]}");
    assert_false(read(body));
    sprintf(body, "{\"data\":[{\"acceptedCount\":0.");
    at = body + strlen(body);
    memset(at, '0', 400000);
    sprintf(at + 400000, "3e400001}]}");
    assert_true(read(body));
    assert_true(sendouts.accepted == 3);
}

/* Whether somebody may be sent it twice must not hang on memory. */
static void nothing_is_allocated(void **state) {
    bool has_failed;
    (void)state;
    memory_fail(0, MEMORY_FAILS_FROM_THEN_ON);
    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        cly_error error;
        (void)cly_sendouts_read(&sendouts, &problem, readings[i].body, strlen(readings[i].body));
        cly_error_clear(&error);
        if (cly_sendouts_judge(&sendouts, (cly_batch){3, 1}, &error) == CLY_OK) continue;
    }
    has_failed = memory_restore();
    assert_false(has_failed);
}

/* ---- what follows ---- */

typedef struct verdict {
    const char *items;
    int entries;
    cly_kind kind;
    cly_outcome outcome;
    const char *message;
} verdict;

static const verdict verdicts[] = {
    {"{\"acceptedCount\":3}", 3, CLY_OK, CLY_NOT_SENT, NULL},
    {"{\"acceptedCount\":1},{\"acceptedCount\":\"2\",\"rejectedCount\":0,\"error\":null}", 3, CLY_OK,
     CLY_NOT_SENT, NULL},
    {"{\"acceptedCount\":2,\"rejectedCount\":1},{\"acceptedCount\":3}", 6, CLY_REJECTED, CLY_UNKNOWN,
     "1 entries were rejected, 5 accepted"},
    {"{\"acceptedCount\":2,\"rejectedCount\":1}", 4, CLY_REJECTED, CLY_UNKNOWN,
     "1 entries were rejected, 2 accepted; the reply does not account for all"},
    {"{\"acceptedCount\":2,\"rejectedCount\":2}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "2 entries were rejected, 2 accepted; the reply does not account for all"},
    {"{\"acceptedCount\":3,\"rejectedCount\":1}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "1 entries were rejected, 3 accepted; the reply does not account for all"},
    /* nobody can have been taken */
    {"{\"rejectedCount\":3}", 3, CLY_REJECTED, CLY_REFUSED, "3 entries were rejected, 0 accepted"},
    {"{\"rejectedCount\":1},{\"rejectedCount\":2,\"error\":\"x\"}", 3, CLY_REJECTED, CLY_REFUSED,
     "3 entries were rejected, 0 accepted"},
    {"{\"error\":\"x\"}", 3, CLY_REJECTED, CLY_REFUSED, "a sendout failed; 0 entries were accepted"},
    {"{\"error\":1},{\"acceptedCount\":0,\"error\":true}", 3, CLY_REJECTED, CLY_REFUSED,
     "a sendout failed; 0 entries were accepted"},
    /* somebody can */
    {"{\"rejectedCount\":2}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "2 entries were rejected, 0 accepted; the reply does not account for all"},
    {"{\"rejectedCount\":4}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "4 entries were rejected, 0 accepted; the reply does not account for all"},
    {"{\"rejectedCount\":1,\"error\":\"x\"}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "1 entries were rejected, 0 accepted; the reply does not account for all"},
    {"{\"error\":\"x\"},{\"acceptedCount\":0}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "a sendout failed; 0 entries were accepted"},
    {"{\"acceptedCount\":1,\"error\":\"x\"}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "a sendout failed; 1 entries were accepted"},
    {"{\"acceptedCount\":3,\"error\":\"x\"}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "a sendout failed; 3 entries were accepted"},
    /* not accounted for */
    {"{\"acceptedCount\":2}", 3, CLY_PROTOCOL, CLY_UNKNOWN, "the reply accounts for 2 of 3 entries"},
    {"{\"acceptedCount\":99}", 3, CLY_PROTOCOL, CLY_UNKNOWN, "the reply accounts for 99 of 3 entries"},
    {"{\"acceptedCount\":0}", 3, CLY_PROTOCOL, CLY_UNKNOWN, "the reply accounts for 0 of 3 entries"},
    {"{\"acceptedCount\":4294967299}", 3, CLY_PROTOCOL, CLY_UNKNOWN,
     "the reply accounts for 4294967299 of 3 entries"},
    {"{\"rejectedCount\":4294967299}", 3, CLY_REJECTED, CLY_UNKNOWN,
     "4294967299 entries were rejected, 0 accepted; the reply does not account for all"},
    {"{}", 3, CLY_PROTOCOL, CLY_UNKNOWN, "the reply does not say how many entries were accepted"},
};

static cly_kind judge(const char *format, const char *items, int entries, cly_error *error) {
    char body[512];
    snprintf(body, sizeof body, format, items);
    (void)read(body);
    cly_error_clear(error);
    return cly_sendouts_judge(&sendouts, (cly_batch){entries, 1}, error);
}

static void a_reply_is_judged_by_what_it_accounts_for(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        const verdict *wanted = &verdicts[i];
        cly_error error;
        check_case(judge("{\"data\":[%s]}", wanted->items, wanted->entries, &error) == wanted->kind,
                   wanted->items);
        check_case(error.kind == wanted->kind && (error.hint == NULL) == (wanted->kind == CLY_OK),
                   wanted->items);
        if (wanted->kind == CLY_OK) continue;
        check_case(error.outcome == wanted->outcome, wanted->items);
        check_case_text(error.message, wanted->message, wanted->items);
        check_case(!cly_error_is_retryable(&error), wanted->items);
    }
}

/* It does not say whom it is about: of the counts it makes a failure, never a refusal
 * of all. */
static void an_error_of_the_whole_is_one(void **state) {
    cly_error error;
    (void)state;
    assert_int_equal(judge("{\"error\":\"x\",\"data\":[%s]}", "{\"acceptedCount\":3}", 3, &error),
                     CLY_REJECTED);
    assert_int_equal(error.outcome, CLY_UNKNOWN);
    assert_int_equal(judge("{\"error\":\"x\",\"data\":[%s]}", "{\"acceptedCount\":0}", 3, &error),
                     CLY_REJECTED);
    assert_int_equal(error.outcome, CLY_UNKNOWN);
    assert_int_equal(judge("{\"error\":\"x\",\"data\":[%s]}", "{\"rejectedCount\":3}", 3, &error),
                     CLY_REJECTED);
    assert_int_equal(error.outcome, CLY_REFUSED);
}

/* Those that no item speaks of may have been taken. */
static void nobody_was_taken_when_each_sendout_failed(void **state) {
    static const char *const failed[] = {"{\"error\":\"x\"}",
                                         "{\"acceptedCount\":0,\"rejectedCount\":0,\"error\":\"x\"}",
                                         "{\"error\":\"x\"},{\"error\":\"y\"}", "{\"rejectedCount\":3}"};
    static const cly_outcome outcomes[] = {CLY_UNKNOWN, CLY_UNKNOWN, CLY_REFUSED, CLY_REFUSED};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(failed); i++) {
        char body[256];
        cly_error error;
        snprintf(body, sizeof body, "{\"data\":[%s]}", failed[i]);
        assert_true(read(body));
        cly_error_clear(&error);
        assert_int_equal(cly_sendouts_judge(&sendouts, (cly_batch){3, 2}, &error), CLY_REJECTED);
        check_case(error.outcome == outcomes[i], failed[i]);
    }
}

static void hints_say_what_to_look_at(void **state) {
    cly_error error;
    (void)state;
    (void)judge("{%s}", "", 3, &error);
    assert_string_equal(error.hint,
                        "the campaign may have been started: look for its delivery statuses before "
                        "sending it again");
    (void)judge("{\"data\":[%s]}", "{\"acceptedCount\":1}", 3, &error);
    assert_string_equal(error.hint, "`result.sendouts` has what the API said of each campaign; repeat only "
                                    "what was not accepted");
}

/* The caller may not want to know. */
static void an_error_may_be_null(void **state) {
    (void)state;
    assert_true(read("{\"data\":[{\"acceptedCount\":1}]}"));
    assert_int_equal(cly_sendouts_judge(&sendouts, (cly_batch){1, 1}, NULL), CLY_OK);
    assert_int_equal(cly_sendouts_judge(&sendouts, (cly_batch){2, 1}, NULL), CLY_PROTOCOL);
}

static int end(void **state) {
    (void)state;
    memory_restore();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sendouts_are_counted),
        cmocka_unit_test(what_does_not_say_how_many_is_nothing),
        cmocka_unit_test(every_beginning_is_nothing),
        cmocka_unit_test(huge_counts_do_not_overflow),
        cmocka_unit_test(many_digits_are_read_in_time),
        cmocka_unit_test_teardown(nothing_is_allocated, end),
        cmocka_unit_test(a_reply_is_judged_by_what_it_accounts_for),
        cmocka_unit_test(an_error_of_the_whole_is_one),
        cmocka_unit_test(nobody_was_taken_when_each_sendout_failed),
        cmocka_unit_test(hints_say_what_to_look_at),
        cmocka_unit_test(an_error_may_be_null),
    };
    return cmocka_run_group_tests_name("core/reply/sendouts", tests, NULL, NULL);
}
