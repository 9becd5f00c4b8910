#include "core/base/text.h"

#include "spec/core/edge_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

typedef struct question {
    const char *description, *text;
    bool answer;
} question;

/* Each text ends at an unreadable page. */
static void ask(bool (*is)(const char *, size_t), const question *questions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(questions[i].text);
        check_case(is(edge_copy(questions[i].text, length), length) == questions[i].answer,
                   questions[i].description);
    }
}

static const question utf8[] = {
    {"nothing is", "", true},
    {"ASCII is", "abc", true},
    {"two to four bytes are", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", true},
    {"a sequence cut off is not", "a\xf0\x9f\x98", false},
    {"a sequence cut after its first byte is not", "\xe2", false},
    {"a long form is not", "\xc1\xbf", false},
    {"a surrogate is not", "\xed\xbf\xbf", false},
    {"the last before the surrogates is", "\xed\x9f\xbf", true},
    {"the first after the surrogates is", "\xee\x80\x80", true},
    {"five bytes are not", "\xf8\x88\x80\x80\x80", false},
    {"ASCII in place of a continuation is not", "\xe2\x82x", false},
};

static void utf8_is_rfc_3629(void **state) {
    (void)state;
    ask(cly_is_utf8, utf8, COUNT_OF(utf8));
}

static const question e164[] = {
    {"the usual", "+14155550123", true},
    {"the shortest", "+12", true},
    {"fifteen digits", "+123456789012345", true},
    {"sixteen digits", "+1234567890123456", false},
    {"one digit", "+1", false},
    {"a plus alone", "+", false},
    {"nothing", "", false},
    {"no plus", "14155550123", false},
    {"zero first", "+04155550123", false},
    {"blanks", "+1 415 555 0123", false},
    {"hyphens", "+1-415-555-0123", false},
    {"two plus signs", "++14155550123", false},
    {"letters", "+1415555O123", false},
    {"a line break at the end", "+14155550123\n", false},
    {"digits of another script", "+\xd9\xa1\xd9\xa2\xd9\xa3", false},
};

static void e164_is_strict(void **state) {
    (void)state;
    ask(cly_is_e164, e164, COUNT_OF(e164));
    assert_false(cly_is_e164("+1415555\0123", 12));
}

static const question bsuids[] = {
    {"the documented one", "US.13491208655302741918", true},
    {"letters too", "BR.aZ09", true},
    {"one character", "US.1", true},
    {"none behind the dot", "US.", false},
    {"small letters in the country", "us.1", false},
    {"no dot", "US1234", false},
    {"three letters", "USA.1", false},
    {"another sign", "US.1-2", false},
    {"with its prefix", "bsuid:US.1", false},
    {"nothing", "", false},
    {"128 behind the dot",
     "US.12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
     "901234567890123456789012345678",
     true},
    {"129 behind the dot",
     "US.12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
     "9012345678901234567890123456789",
     false},
};

static void bsuids_are_known(void **state) {
    (void)state;
    ask(cly_is_bsuid, bsuids, COUNT_OF(bsuids));
}

static const question languages[] = {
    {"two letters", "en", true},
    {"with a region", "pt_BR", true},
    {"three letters", "fil", true},
    {"three letters with a region", "prs_AF", true},
    {"a code that Meta may add", "xx", true},
    {"a hyphen", "en-US", false},
    {"capitals", "EN", false},
    {"a small region", "en_us", false},
    {"one letter", "e", false},
    {"four letters", "engl", false},
    {"no region behind the line", "en_", false},
    {"a region too short", "en_U", false},
    {"a region too long", "en_USA", false},
    {"nothing", "", false},
    {"a blank", "en ", false},
    {"a region alone", "_US", false},
};

static void languages_have_a_shape(void **state) {
    (void)state;
    ask(cly_is_language, languages, COUNT_OF(languages));
}

static const question urls[] = {
    {"https", "https://files.example.com/a.jpg?b=c#d", true},
    {"http", "http://x", true},
    {"capitals in the scheme", "HTTPS://x", true},
    {"no host", "https://", false},
    {"no host, a path", "https:///x", false},
    {"no host, a query", "http://?x", false},
    {"another scheme", "ftp://x/", false},
    {"a file", "file:///etc/passwd", false},
    {"no scheme", "example.com/a.jpg", false},
    {"no slashes", "https:x", false},
    {"a blank", "https://x/a b", false},
    {"a line break", "https://x/\r\n", false},
    {"a tab", "https://x/\t", false},
    {"nothing", "", false},
    {"cut off", "http", false},
    {"UTF-8 passes", "https://x/\xc3\xa9", true},
};

static void urls_begin_with_a_scheme_and_a_host(void **state) {
    (void)state;
    ask(cly_is_url, urls, COUNT_OF(urls));
    assert_false(cly_is_url("https://x\0y", 11));
    assert_false(cly_is_url("https://\0", 9));
}

static void control_bytes_are_found(void **state) {
    (void)state;
    assert_false(cly_has_control("plain \xc3\xa9", 8));
    assert_true(cly_has_control("a\nb", 3));
    assert_true(cly_has_control("a\0b", 3));
    assert_true(cly_has_control("a\x7f", 2));
    assert_false(cly_has_control("a\n", 1));
}

static void a_prefix_has_no_case(void **state) {
    (void)state;
    assert_true(cly_starts_with("HTTPS://x", 9, "https://"));
    assert_true(cly_starts_with("x", 1, ""));
    assert_false(cly_starts_with(edge_copy("http", 4), 4, "https"));
    assert_false(cly_starts_with("", 0, "h"));
}

static const struct {
    const char *description, *text;
    size_t room;
    const char *shown;
} shows[] = {
    {"short text stays", "template_nam", 48, "template_nam"},
    {"what could be a telephone number is hidden", "call +14155550123 now", 48, "call +# now"},
    {"six digits stay", "code 123456", 48, "code 123456"},
    {"seven do not", "code 1234567", 48, "code #"},
    {"a number spelt apart", "call (415) 555-0123 now", 48, "call (# now"},
    {"with dots", "call +1.415.555.0123.", 48, "call +#."},
    {"with blanks and strokes", "030 / 12 34 567", 48, "#"},
    {"with signs of other scripts",
     "415\xe2\x80\x91"
     "555\xe2\x80\x91"
     "0123",
     48, "#"},
    {"eight digits spelt apart may be a date", "on 2026-11-22, 10:00", 48, "on 2026-11-22, 10:00"},
    {"nine may not", "1 2 3 4 5 6 7 8 9", 48, "#"},
    {"commas and words part numbers", "3, 4 of 5000, 100 more than 200", 48,
     "3, 4 of 5000, 100 more than 200"},
    {"seven in a row of less than nine", "12 1234567", 48, "#"},
    {"seven in a row and one", "1 1234567", 48, "1 #"},
    {"a number at the end of what is read", "(415) 555-0123", 48, "(#"},
    {"control bytes", "a\nb\x7f", 48, "a?b?"},
    {"it is cut to its room", "abcdef", 4, "abc"},
    {"room for the zero alone", "abc", 1, ""},
    {"exactly enough room", "abc", 4, "abc"},
    {"digits are hidden before the cut", "12345678901234567890", 3, "#"},
    {"no sequence is cut in two", "ab\xe2\x82\xac", 5, "ab"},
    {"whole sequences before the cut stay", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 8,
     "\xe2\x82\xac\xe2\x82\xac"},
    {"a whole sequence at the cut stays", "\xc3\xa9\xc3\xa9x", 5, "\xc3\xa9\xc3\xa9"},
};

static void text_is_shown_in_part(void **state) {
    char out[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shows); i++) {
        size_t length = strlen(shows[i].text);
        cly_text_show(out, shows[i].room, edge_copy(shows[i].text, length), length);
        check_case_text(out, shows[i].shown, shows[i].description);
    }
}

static const struct {
    const char *description, *text;
    size_t bare;
    const char *hidden;
} numbers[] = {
    {"a code stays", "ERROR_CODE_131047", 10, "ERROR_CODE_131047"},
    {"one of seven digits too", "2388012", 10, "2388012"},
    {"a number does not", "TO_+16045550199_FAILED", 10, "TO_+#_FAILED"},
    {"nor spelt apart", "+1 (604) 555-0199", 10, "+#"},
    {"eight digits behind a plus", "x+12345678", 10, "x+#"},
    {"seven", "x+1234567", 10, "x+1234567"},
    {"ten without a plus", "x1234567890", 10, "x#"},
    {"nine", "x123456789", 10, "x123456789"},
    {"an identifier stays", "15555555555555555555", 0, "15555555555555555555"},
    {"with a plus it is a number", "+15555555555", 0, "+#"},
    {"two of them", "+15555555555+16666666666", 0, "+#+#"},
    {"a plus alone", "+", 0, "+"},
    {"nothing", "", 0, ""},
};

static void numbers_are_hidden_in_place(void **state) {
    char text[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        strcpy(text, numbers[i].text);
        cly_text_hide_numbers(text, numbers[i].bare);
        check_case_text(text, numbers[i].hidden, numbers[i].description);
    }
}

/* Each start would cross all the rest. */
static void long_runs_take_no_long_time(void **state) {
    enum { LENGTH = 1024 * 1024 };
    static const char *const runs[] = {"1", "+1", "1 ", "1234567   x", "+ "};
    char *text = malloc(LENGTH + 1), shown[256];
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < 2 * COUNT_OF(runs); i++) {
        size_t length = strlen(runs[i / 2]);
        for (size_t at = 0; at < LENGTH; at++) text[at] = runs[i / 2][at % length];
        text[LENGTH] = '\0';
        cly_text_show(shown, sizeof shown, text, LENGTH);
        cly_text_hide_numbers(text, i % 2 ? 10 : 0);
    }
    free(text);
}

static const struct {
    const char *a, *b;
    size_t distance;
} distances[] = {
    {"", "", 0},
    {"abc", "abc", 0},
    {"abc", "", 3},
    {"", "abc", 3},
    {"kitten", "sitting", 3},
    {"numebr", "number", 1},
    {"templateNmae", "templateName", 1},
    {"ab", "ba", 1},
    {"abc", "ca", 3},
};

static void distances_count_edits_and_swaps(void **state) {
    char text[50];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(distances); i++)
        check_case(cly_text_distance(distances[i].a, strlen(distances[i].a), distances[i].b,
                                     strlen(distances[i].b)) == distances[i].distance,
                   distances[i].a);
    memset(text, 'x', sizeof text);
    assert_int_equal(cly_text_distance(text, 48, text, 48), 0);
    assert_int_equal(cly_text_distance(text, 48, "", 0), 48);
    assert_true(cly_text_distance(text, 49, "x", 1) > 1000);
    assert_true(cly_text_distance("x", 1, text, 49) > 1000);
}

static void all_but_unreserved_is_percent_encoded(void **state) {
    cly_buffer out;
    (void)state;
    cly_buffer_init(&out, 1024);
    cly_percent_encode(&out, "aZ09-._~ /?#%\xc3\xa9\0+", 17);
    assert_true(cly_buffer_terminate(&out));
    assert_string_equal(out.data, "aZ09-._~%20%2F%3F%23%25%C3%A9%00%2B");
    cly_buffer_clear(&out);
}

static const struct {
    const char *text;
    double time_ms;
} ulids[] = {
    {"01ARZ3NDEKTSV4RRFFQ69G5FAV", 1469922850259.0},
    {"01FPW47QF69Y5JZH24605VAKQB", 1639473995238.0},
    {"01arz3ndektsv4rrffq69g5fav", 1469922850259.0},
    {"01HF7YAT000000000000000000", 1700000000000.0},
    {"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", 281474976710655.0},
    {"00000000000000000000000000", 0},
    {"8ZZZZZZZZZZZZZZZZZZZZZZZZZ", -1},
    {"01ARZ3NDEKTSV4RRFFQ69G5FA", -1},
    {"01ARZ3NDEKTSV4RRFFQ69G5FAVX", -1},
    {"01ARZ3NDEKTSV4RRFFQ69G5FAU", -1},
    {"01ARZ3NDEKTSV4RRFFQ69G5FA-", -1},
    {"", -1},
    {"I1ARZ3NDEKTSV4RRFFQ69G5FAV", -1},
};

static void ulids_hold_a_time(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ulids); i++) {
        size_t length = strlen(ulids[i].text);
        check_case(cly_ulid_time_ms(edge_copy(ulids[i].text, length), length) == ulids[i].time_ms,
                   ulids[i].text);
    }
    assert_true(cly_ulid_time_ms("01ARZ3NDEKTSV4RRFFQ69G5FA\0", 26) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_rfc_3629),
        cmocka_unit_test(e164_is_strict),
        cmocka_unit_test(bsuids_are_known),
        cmocka_unit_test(languages_have_a_shape),
        cmocka_unit_test(urls_begin_with_a_scheme_and_a_host),
        cmocka_unit_test(control_bytes_are_found),
        cmocka_unit_test(a_prefix_has_no_case),
        cmocka_unit_test(text_is_shown_in_part),
        cmocka_unit_test(numbers_are_hidden_in_place),
        cmocka_unit_test(long_runs_take_no_long_time),
        cmocka_unit_test(distances_count_edits_and_swaps),
        cmocka_unit_test(all_but_unreserved_is_percent_encoded),
        cmocka_unit_test(ulids_hold_a_time),
    };
    return cmocka_run_group_tests_name("core/base/text", tests, NULL, NULL);
}
