#include "core/json/json_writer.h"

#include "spec/core/edge_support.h"
#include "spec/core/test.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static cly_buffer out;
static cly_json_writer json;

static int begin(void **state) {
    (void)state;
    cly_buffer_init(&out, 1024 * 1024);
    json.out = &out;
    json.comma = false;
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_buffer_clear(&out);
    return 0;
}

static const char *written(void) {
    assert_true(cly_buffer_terminate(&out));
    return out.data;
}

static cly_number integer(int64_t value) {
    cly_number number = {true, 0, 0};
    number.integer = value;
    number.real = (double)value;
    return number;
}

static cly_number real(double value) {
    cly_number number = {false, 0, 0};
    number.real = value;
    return number;
}

static void commas_come_by_themselves(void **state) {
    (void)state;
    cly_json_open(&json, '{');
    cly_json_key(&json, "a");
    cly_json_open(&json, '[');
    cly_json_close(&json, ']');
    cly_json_key(&json, "b");
    cly_json_open(&json, '[');
    cly_json_plain(&json, "x");
    cly_json_boolean(&json, true);
    cly_json_boolean(&json, false);
    cly_json_number(&json, integer(-1));
    cly_json_raw(&json, "null", 4);
    cly_json_open(&json, '{');
    cly_json_close(&json, '}');
    cly_json_close(&json, ']');
    cly_json_key(&json, "c");
    assert_true(cly_json_text(&json, "", 0));
    cly_json_close(&json, '}');
    assert_string_equal(written(), "{\"a\":[],\"b\":[\"x\",true,false,-1,null,{}],\"c\":\"\"}");
}

static const struct {
    const char *description, *text;
    size_t length;
    const char *json;
} texts[] = {
    {"plain text stays", "Hello", 5, "\"Hello\""},
    {"quote and backslash", "a\"b\\c", 5, "\"a\\\"b\\\\c\""},
    {"a slash needs nothing", "https://x/", 10, "\"https://x/\""},
    {"the short escapes", "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
    {"other control bytes, zero included", "\x01\0\x1f", 3, "\"\\u0001\\u0000\\u001f\""},
    {"DEL needs nothing", "\x7f", 1, "\"\x7f\""},
    {"two, three and four bytes of UTF-8", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
     "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"the smallest and the largest of each length",
     "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 18,
     "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    {"a continuation byte alone", "a\x80", 2, NULL},
    {"a long form of two bytes", "\xc0\xaf", 2, NULL},
    {"a long form of three bytes", "\xe0\x9f\xbf", 3, NULL},
    {"a long form of four bytes", "\xf0\x8f\xbf\xbf", 4, NULL},
    {"a surrogate", "\xed\xa0\x80", 3, NULL},
    {"beyond U+10FFFF", "\xf4\x90\x80\x80", 4, NULL},
    {"a byte that never stands in UTF-8", "\xff", 1, NULL},
    {"two bytes cut off", "\xc3", 1, NULL},
    {"three bytes cut off", "\xe2\x82", 2, NULL},
    {"four bytes cut off", "\xf0\x9f\x98", 3, NULL},
    {"Latin-1", "caf\xe9!", 5, NULL},
};

static void texts_are_checked_and_escaped(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        bool is_valid;
        cly_buffer_reset(&out);
        json.comma = false;
        is_valid = cly_json_text(&json, edge_copy(texts[i].text, texts[i].length), texts[i].length);
        check_case(is_valid == (texts[i].json != NULL), texts[i].description);
        if (is_valid) check_case_text(written(), texts[i].json, texts[i].description);
    }
}

/* As the number is sent, and as it stands in a text parameter. */
static const struct {
    const char *description;
    cly_number number;
    const char *json, *text;
} numbers[] = {
    {"zero", {true, 0, 0}, "0", "0"},
    {"a double that is whole has no .0", {false, 0, 98765}, "98765", "98765"},
    {"negative zero", {false, 0, -0.0}, "0", "0"},
    {"the largest integer", {true, INT64_MAX, 9.3e18}, "9223372036854775807", "9223372036854775807"},
    {"the smallest integer", {true, INT64_MIN, -9.3e18}, "-9223372036854775808", "-9223372036854775808"},
    {"a tenth", {false, 0, 0.1}, "0.1", "0.1"},
    {"a third is exact on the wire, readable in a text",
     {false, 0, 1.0 / 3},
     "0.3333333333333333",
     "0.33333333333333"},
    {"a sum of tenths", {false, 0, 0.1 + 0.2}, "0.30000000000000004", "0.3"},
    {"coordinates", {false, 0, -123.1207}, "-123.1207", "-123.1207"},
    {"2^53", {false, 0, 9007199254740992.0}, "9007199254740992", "9007199254740992"},
    {"too large to write out", {false, 0, 1e300}, "1e+300", "1e+300"},
    {"very small", {false, 0, 5e-324}, "4.94065645841247e-324", "4.9406564584125e-324"},
};

static void numbers_are_exact(void **state) {
    char text[CLY_NUMBER_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        size_t length = cly_number_as_text(text, numbers[i].number);
        check_case(length == strlen(text), numbers[i].description);
        check_case_text(text, numbers[i].text, numbers[i].description);
        cly_buffer_reset(&out);
        json.comma = false;
        cly_json_number(&json, numbers[i].number);
        check_case_text(written(), numbers[i].json, numbers[i].description);
    }
}

static void every_double_reads_back_as_itself(void **state) {
    static const double doubles[] = {
        DBL_MAX, DBL_MIN, -DBL_MAX,      1e15,  1e16, 1e17, 1e22, 3.14159265358979312, -2.718281828459045e-7,
        9.2e18,  9.3e18,  123456789.125, 5e-324};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(doubles); i++) {
        cly_buffer_reset(&out);
        json.comma = false;
        cly_json_number(&json, real(doubles[i]));
        assert_true(strtod(written(), NULL) == doubles[i]);
        assert_true(out.length < CLY_NUMBER_SIZE);
    }
}

/* A program may have called setlocale: 0,5 would be no JSON. */
static void a_locale_does_not_change_the_point(void **state) {
    static const char *const locales[] = {"de_DE.UTF-8", "pt_BR.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(locales); i++) {
        if (setlocale(LC_NUMERIC, locales[i]) == NULL) continue;
        cly_buffer_reset(&out);
        json.comma = false;
        cly_json_number(&json, real(-0.5e-10));
        cly_json_number(&json, real(1234567.25));
        setlocale(LC_NUMERIC, "C");
        assert_string_equal(written(), "-5e-11,1234567.25");
    }
}

static void a_full_buffer_is_no_trouble(void **state) {
    cly_buffer small;
    cly_json_writer writer = {&small, false};
    (void)state;
    cly_buffer_init(&small, 7);
    cly_json_open(&writer, '{');
    cly_json_key(&writer, "key");
    cly_json_text(&writer, "value", 5);
    cly_json_number(&writer, integer(7));
    cly_json_close(&writer, '}');
    assert_int_equal(small.state, CLY_BUFFER_FULL);
    assert_true(small.length <= 7);
    cly_buffer_clear(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_come_by_themselves, begin, end),
        cmocka_unit_test_setup_teardown(texts_are_checked_and_escaped, begin, end),
        cmocka_unit_test_setup_teardown(numbers_are_exact, begin, end),
        cmocka_unit_test_setup_teardown(every_double_reads_back_as_itself, begin, end),
        cmocka_unit_test_setup_teardown(a_locale_does_not_change_the_point, begin, end),
        cmocka_unit_test(a_full_buffer_is_no_trouble),
    };
    return cmocka_run_group_tests_name("core/json/json_writer", tests, NULL, NULL);
}
