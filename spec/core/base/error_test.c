#include "core/base/error.h"

#include "spec/core/test.h"
#include <string.h>

static void the_first_error_wins(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    assert_int_equal(cly_error_set(&error, CLY_NETWORK, CLY_UNKNOWN, "lost %d", 1), CLY_NETWORK);
    assert_int_equal(cly_error_set(&error, CLY_ARGUMENT, CLY_NOT_SENT, "other"), CLY_NETWORK);
    assert_int_equal(error.kind, CLY_NETWORK);
    assert_int_equal(error.outcome, CLY_UNKNOWN);
    assert_string_equal(error.message, "lost 1");
}

static void a_cleared_error_says_nothing(void **state) {
    cly_error error;
    (void)state;
    memset(&error, 0x55, sizeof error);
    cly_error_clear(&error);
    assert_int_equal(error.kind, CLY_OK);
    assert_int_equal(error.status, 0);
    assert_true(error.retry_after < 0);
    assert_string_equal(error.message, "");
    assert_string_equal(error.param, "");
    assert_null(error.hint);
    assert_false(error.is_permanent);
}

static void no_error_to_fill_is_fine(void **state) {
    (void)state;
    assert_int_equal(cly_error_set(NULL, CLY_SERVER, CLY_UNKNOWN, "%s", "x"), CLY_SERVER);
    assert_int_equal(cly_error_no_memory(NULL), CLY_OVERLOADED);
}

static void a_long_message_is_cut(void **state) {
    char text[2 * CLY_MESSAGE_SIZE];
    cly_error error;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cly_error_clear(&error);
    cly_error_set(&error, CLY_SERVER, CLY_UNKNOWN, "%s", text);
    assert_int_equal(strlen(error.message), CLY_MESSAGE_SIZE - 1);
}

static void lack_of_memory_is_not_sent(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    assert_int_equal(cly_error_no_memory(&error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_true(cly_error_is_retryable(&error));
}

static const struct {
    const char *description;
    cly_kind kind;
    cly_outcome outcome;
    bool is_retryable;
} repeats[] = {
    {"a connection that was never made", CLY_NETWORK, CLY_NOT_SENT, true},
    {"a connection that broke later may have delivered", CLY_NETWORK, CLY_UNKNOWN, false},
    {"time that ran out before a byte left", CLY_TIMEOUT, CLY_NOT_SENT, true},
    {"time that ran out later", CLY_TIMEOUT, CLY_UNKNOWN, false},
    {"the API said: later", CLY_RATE_LIMITED, CLY_NOT_SENT, true},
    {"a call that was canceled in time", CLY_CANCELED, CLY_NOT_SENT, true},
    {"a call that was canceled too late", CLY_CANCELED, CLY_UNKNOWN, false},
    {"no room just now", CLY_OVERLOADED, CLY_NOT_SENT, true},
    {"a closed client stays closed", CLY_CLOSED, CLY_NOT_SENT, false},
    {"a bad argument stays bad", CLY_ARGUMENT, CLY_NOT_SENT, false},
    {"a bad option stays bad", CLY_CONFIG, CLY_NOT_SENT, false},
    {"a refusal", CLY_REJECTED, CLY_REFUSED, false},
    {"a key that is refused", CLY_AUTH, CLY_REFUSED, false},
    {"a server's failure may have delivered", CLY_SERVER, CLY_UNKNOWN, false},
    {"a reply that is none may have delivered", CLY_PROTOCOL, CLY_UNKNOWN, false},
};

static void only_what_cannot_double_is_retryable(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(repeats); i++) {
        cly_error error;
        cly_error_clear(&error);
        cly_error_set(&error, repeats[i].kind, repeats[i].outcome, "x");
        check_case(cly_error_is_retryable(&error) == repeats[i].is_retryable, repeats[i].description);
    }
}

static void kinds_have_the_names_of_the_readme(void **state) {
    static const char *const names[] = {"ok",           "argument",   "config",   "network", "timeout",
                                        "rate_limited", "auth",       "rejected", "server",  "protocol",
                                        "canceled",     "overloaded", "closed"};
    (void)state;
    assert_int_equal(COUNT_OF(names), CLY_KIND_COUNT);
    for (int kind = 0; kind < CLY_KIND_COUNT; kind++)
        assert_string_equal(cly_kind_name((cly_kind)kind), names[kind]);
    assert_string_equal(cly_kind_name(CLY_KIND_COUNT), "unknown");
    assert_string_equal(cly_outcome_name(CLY_NOT_SENT), "not_sent");
    assert_string_equal(cly_outcome_name(CLY_REFUSED), "rejected");
    assert_string_equal(cly_outcome_name(CLY_UNKNOWN), "unknown");
}

static void what_may_have_arrived_is_said_to(void **state) {
    (void)state;
    assert_non_null(strstr(cly_kind_hint(CLY_NETWORK, CLY_UNKNOWN), "may have arrived"));
    assert_non_null(strstr(cly_kind_hint(CLY_TIMEOUT, CLY_NOT_SENT), "safe to repeat"));
    assert_non_null(cly_kind_hint(CLY_AUTH, CLY_REFUSED));
    assert_null(cly_kind_hint(CLY_KIND_COUNT, CLY_REFUSED));
}

static void every_documented_code_has_a_hint(void **state) {
    size_t count;
    const cly_error_code *codes = cly_error_codes(&count);
    (void)state;
    assert_true(count >= 18);
    for (size_t i = 0; i < count; i++) {
        check_case(strncmp(codes[i].code, "ERROR_CODE_", 11) == 0, codes[i].code);
        check_case(codes[i].meaning[0] && codes[i].hint[0], codes[i].code);
        check_case(cly_code_hint(codes[i].code, NULL) == codes[i].hint, codes[i].code);
        for (size_t j = 0; j < i; j++) check_case(strcmp(codes[i].code, codes[j].code) != 0, codes[i].code);
    }
}

static void a_type_helps_where_the_code_does_not(void **state) {
    (void)state;
    assert_string_equal(cly_code_hint("ERROR_CODE_NEW", "ERROR_TYPE_DEADLINE_EXCEEDED"),
                        "send a template instead");
    assert_string_equal(cly_code_hint(NULL, "ERROR_TYPE_DEADLINE_EXCEEDED"), "send a template instead");
    assert_null(cly_code_hint("ERROR_CODE_NEW", "ERROR_TYPE_NEW"));
    assert_null(cly_code_hint(NULL, NULL));
    assert_null(cly_code_hint("", ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(a_cleared_error_says_nothing),
        cmocka_unit_test(no_error_to_fill_is_fine),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(lack_of_memory_is_not_sent),
        cmocka_unit_test(only_what_cannot_double_is_retryable),
        cmocka_unit_test(kinds_have_the_names_of_the_readme),
        cmocka_unit_test(what_may_have_arrived_is_said_to),
        cmocka_unit_test(every_documented_code_has_a_hint),
        cmocka_unit_test(a_type_helps_where_the_code_does_not),
    };
    return cmocka_run_group_tests_name("core/base/error", tests, NULL, NULL);
}
