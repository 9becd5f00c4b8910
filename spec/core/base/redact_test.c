#include "core/base/redact.h"

#include "spec/core/edge_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *description, *text, *secret, *masked;
} cases[] = {
    {"in the middle", "key=s3cret;", "s3cret", "key=******;"},
    {"several, touching", "abab", "ab", "****"},
    {"overlapping ones", "aaa", "aa", "**a"},
    {"the whole text", "s3cret", "s3cret", "******"},
    {"longer than the text", "s3", "s3cret", "s3"},
    {"none", "text", "s3cret", "text"},
    {"an empty secret is none", "text", "", "text"},
    {"no secret", "text", NULL, "text"},
    {"an escaped slash", "x a\\/b x", "a/b", "x **** x"},
    {"an escaped quote", "x a\\\"b x", "a\"b", "x **** x"},
    {"an escaped backslash", "x a\\\\b x", "a\\b", "x **** x"},
    {"a backslash as it is", "x a\\b x", "a\\b", "x *** x"},
    {"a backslash by its number", "x a\\u005Cb x", "a\\b", "x ******** x"},
    {"a slash by its number", "x a\\u002fb x", "a/b", "x ******** x"},
    {"a slash by its number in capitals", "x a\\u002Fb x", "a/b", "x ******** x"},
    {"every character by its number", "\\u0061\\u002f\\u0062", "a/b", "******************"},
    {"the escape is its first character", "x\\/a", "/a", "x***"},
    {"twice escaped", "a\\\\\\/b", "a/b", "******"},
    {"a number in JSON in JSON", "a\\\\u002fb", "a/b", "*********"},
    {"a backslash by its number in JSON in JSON", "a\\u005cu005Cu002fb", "a/b", "******************"},
    {"a backslash by its number, and as it is", "a\\\\u005cu005c\\u002fb", "a/b", "********************"},
    {"a backslash of the key by its number twice", "a\\u005cu005cb", "a\\b", "*************"},
    {"the number of a backslash without one", "au005cb", "ab", "au005cb"},
    {"more backslashes than a spelling has", "a\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\/b", "a/b",
     "a\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\/b"},
    {"half a number", "a\\u00", "a/b", "a\\u00"},
    {"half a number in the middle", "a\\u00zzb", "a/b", "a\\u00zzb"},
    {"another number", "a\\u0030b", "a/b", "a\\u0030b"},
    {"of two bytes", "k\xc3\xa9y", "k\xc3\xa9y", "****"},
    {"of two bytes, escaped", "k\\u00E9y", "k\xc3\xa9y", "********"},
    {"of three bytes, escaped", "k\\u20acy", "k\xe2\x82\xacy", "********"},
    {"of four bytes, escaped as a pair", "k\\ud83D\\uDe00y", "k\xf0\x9f\x98\x80y", "**************"},
    {"half a pair", "k\\ud83dy", "k\xf0\x9f\x98\x80y", "k\\ud83dy"},
    {"two first halves", "k\\ud83d\\ud83dy", "k\xf0\x9f\x98\x80y", "k\\ud83d\\ud83dy"},
    {"not UTF-8", "k\xff\x80", "k\xff\x80", "***"},
    {"not UTF-8, another byte", "k\xff\x81", "k\xff\x80", "k\xff\x81"},
    {"a secret that looks like an escape", "x\\u0041b", "u0041b", "x\\******"},
    {"a secret that ends inside one", "x\\u0041", "x\\u00", "*****41"},
    {"a secret that is an escape", "a \\u0041 b", "\\u0041", "a ****** b"},
    {"a secret of backslashes", "a\\\\\\b", "\\\\", "a**\\b"},
    {"broken off", "key: 0123456789", "0123456789abcdef", "key: **********"},
    {"broken off early, which may be chance", "key: 0123", "0123456789abcdef", "key: 0123"},
    {"broken off in an escape", "key: 01234567\\u00", "01234567/abcdef", "key: ************"},
    {"another key", "key: 0123456789x", "0123456789abcdef", "key: 0123456789x"},
};

static void every_spelling_becomes_stars(void **state) {
    char out[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t length = strlen(cases[i].text);
        bool is_masked = cly_redact(out, edge_copy(cases[i].text, length), length, length, cases[i].secret);
        out[length] = '\0';
        check_case_text(out, cases[i].masked, cases[i].description);
        check_case(is_masked == (strcmp(out, cases[i].text) != 0), cases[i].description);
    }
}

static void a_text_may_be_masked_in_place(void **state) {
    char text[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        strcpy(text, cases[i].text);
        cly_redact(text, text, strlen(text), strlen(text), cases[i].secret);
        check_case_text(text, cases[i].masked, cases[i].description);
    }
}

static void what_is_not_shown_is_read(void **state) {
    char out[16] = "";
    (void)state;
    assert_true(cly_redact(out, "key=s3\\/cret", 12, 6, "s3/cret"));
    assert_string_equal(out, "key=**");
}

/* Each start would cross all the rest. */
static void long_runs_take_no_long_time(void **state) {
    enum { LENGTH = 1024 * 1024 };
    static const char *const runs[] = {"\\", "\\u005c", "\\ud83d", "a\\"};
    char *text = malloc(LENGTH);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        size_t length = strlen(runs[i]);
        for (size_t at = 0; at < LENGTH; at++) text[at] = runs[i][at % length];
        assert_false(cly_redact(text, text, LENGTH, LENGTH, "\\/aaaaaaaaaaaaaaab"));
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_becomes_stars),
        cmocka_unit_test(a_text_may_be_masked_in_place),
        cmocka_unit_test(what_is_not_shown_is_read),
        cmocka_unit_test(long_runs_take_no_long_time),
    };
    return cmocka_run_group_tests_name("core/base/redact", tests, NULL, NULL);
}
