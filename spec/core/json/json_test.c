#include "core/json/json.h"

#include "spec/core/edge_support.h"
#include "spec/core/fixture_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

#define NESTED_8(inner) "[[[[[[[[" inner "]]]]]]]]"
#define NESTED_63(inner) \
    NESTED_8(NESTED_8(NESTED_8(NESTED_8(NESTED_8(NESTED_8(NESTED_8("[[[[[[[" inner "]]]]]]]")))))))

static bool is_valid(const char *text, size_t length) {
    return cly_json_is_valid(edge_copy(text, length), length);
}

/* ---- the grammar, by the kinds of the JSONTestSuite ---- */

static const char *const accepted[] = {
    /* arrays */
    "[[]   ]", "[\"\"]", "[]", "[\"a\"]\n", "[false]", "[null, 1, \"1\", {}]", "[null]", "[1\n]", " [1]",
    "[1,null,null,null,2]", "[2] ", " \n[ ]\t\r",
    /* numbers */
    "[123e65]", "[0e+1]", "[0e1]", "[ 4]",
    "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]", "[20e1]", "[-0]",
    "[-123]", "[-1]", "[-0]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]", "[1e+2]",
    "[123]", "[123.456789]", "[0]", "[10]", "[0.0]", "[-0.0e-0]", "[1e999999]",
    "[155555555555555555555555555555555555555]", "[9223372036854775808]",
    /* objects */
    "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"asd\":\"sdf\"}", "{\"a\":\"b\",\"a\":\"c\"}",
    "{\"a\":\"b\",\"a\":\"b\"}", "{}", "{\"\":0}", "{\"foo\\u0000bar\": 42}",
    "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }",
    "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxx\"}], \"id\": \"xxxxxxxx\"}", "{\"a\":[]}",
    "{\"title\":\"\\u041f\\u043e\\u043b\" }", "{\n\"a\": \"b\"\n}", "{ }", "{\"a\":{\"b\":{}}}",
    /* strings */
    "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]", "[\"\\\"\"]", "[\"a/*b*/c/*d//e\"]", "[\"\\\\a\"]",
    "[\"\\\\n\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]", "[\"asd\"]", "[ \"asd\"]", "[\"\\uDBFF\\uDFFF\"]",
    "[\"new\\u00A0line\"]", "[\"\xf4\x8f\xbf\xbf\"]", "[\"\xef\xbf\xbf\"]", "[\"\\u0000\"]", "[\"\\u002c\"]",
    "[\"\xcf\x80\"]", "[\"\xf0\x9b\xbf\xbf\"]", "[\"asd \"]", "\" \"", "[\"\\uD834\\uDd1e\"]",
    "[\"\\u0821\"]", "[\"\\u0123\"]", "[\"\xe2\x80\xa8\"]", "[\"\xe2\x80\xa9\"]",
    "[\"\\u0061\\u30af\\u30EA\\u30b9\"]", "[\"new\\u000Aline\"]", "[\"\x7f\"]", "[\"\\uA66D\"]",
    "[\"\\u005C\"]", "[\"\xe2\x8d\x82\xe3\x88\xb4\"]", "[\"\\uDBFF\\uDFFE\"]", "[\"\\uD83F\\uDFFE\"]",
    "[\"\\u200B\"]", "[\"\\u2064\"]", "[\"\\uFDD0\"]", "[\"\\uFFFE\"]", "[\"\\u0022\"]",
    "[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]", "[\"a\x7f\x61\"]",
    "[\"\xed\x9f\xbf\xee\x80\x80\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\"]",
    /* structures */
    "false", "42", "-0.1", "null", "\"asd\"", "true", "\"\"", "[\"a\"]\n", "[true]", " [] ",
    "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"", NESTED_63("[]"),
    NESTED_63("{}")};

static const char *const refused[] = {
    /* nothing, and what is no JSON at all */
    "", " ", "\n", "<html><body>502 Bad Gateway</body></html>", "<.>", "*", "a", "\xc3\xa5", "abc",
    "undefined", "\xef\xbb\xbf{}", "\xef\xbb\xbf", "\xff\xfe[", "\xe2\x81\xa0[]",
    /* arrays */
    "[1 true]", "[a\xe5]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]",
    "[1,]", "[\"x\"", "[x", "[3[4]]", "[\xff]", "[1:2]", "[,]", "[-]", "[   , \"\"]", "[\"a\",\n4\n,1,",
    "[\"\"a]", "[\"\v\"]", "[\"a\v\f\"]", "[\v]", "[\f]", "[*]", "[\"\"", "[1,\n1\n,1", "[{}", "[", "]", "[}",
    "]]]]", "[][]", "[1]x", "[1]]", "[ false, nul", "[ true, fals", "[ false, tru", "[\"asd]", "[a", "[\"a",
    "['", "['a']", "[']",
    /* numbers */
    "[++1234]", "[+1]", "[+Inf]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[.5]",
    "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[0e+]", "[0e]", "[1.0e+]", "[1.0e-]",
    "[1.0e]", "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]",
    "[\xef\xbc\x91]", "[1+2]", "[0x1]", "[0x42]", "[Infinity]", "[0e+-1]", "[-123.123foo]", "[123\xe5]",
    "[-Infinity]", "[-foo]", "[- 1]", "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1e1\xe5]", "[1.]", "[1.a]",
    "[2.]", "[012]", "[00]", "[1e]", "[1E+]", "-", "-0.", "01", "1.", ".5", "1e", "+1", "NaN", "nan", "1.2.3",
    "1 2", "1_000", "1,5",
    /* objects */
    "[\"x\", truth]", "{[: \"x\"}\n", "{\"x\", null}", "{\"x\"::\"b\"}", "{\"a\":\"a\" 123}",
    "{key: 'value'}", "{\"\xb9\":\"0\",}", "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"",
    "{1:1}", "{9999E9999:1}", "{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}",
    "{\"a\":\"b\"}/**/", "{\"a\":\"b\"}/**//", "{\"a\":\"b\"}//", "{\"a\":\"b\"}/",
    "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }",
    "{\"a\":\"b\"}#", "{}}", "{} {}", "{", "}", "{]", "{,", "{[", "{\"a\"", "{'a'", "{\"a\":\"b\"}\"",
    "{/* */}", "{\"a\":/*comment*/\"b\"}", "{\"x\": true,", "{\"asd\":\"asd\"", "{\"a\":1 \"b\":2}",
    "{,\"a\":1}", "{\"a\":}", "{\"a\":1:2}", "{true:1}",
    /* strings */
    "[\"\\uD800\\\"]", "[\"\\uD800\\u\"]", "[\"\\uD800\\u1\"]", "[\"\\uD800\\u1x\"]", "[\xc3\xa9]",
    "[\"\\x00\"]", "[\"\\\\\\\"]", "[\"\\\t\"]", "[\"\\\xf0\x9f\x8c\x80\"]", "[\"\\\"]", "[\"\\u00A\"]",
    "[\"\\uD834\\uDd\"]", "[\"\\uD800\\uD800\\x\"]", "[\"\\u\xe5\"]", "[\"\\a\"]", "[\"\\uqqqq\"]",
    "[\"\\\xe5\"]", "[\\u0020\"asd\"]", "[\\n]", "\"", "['single quote']", "abc", "[\"\\", "[\"new\nline\"]",
    "[\"\t\"]", "[\"\r\"]", "[\"\x01\"]", "[\"\x1f\"]", "\"\\UA66D\"", "\"\"x", "\"\\u12 4\"", "\"\\u+123\"",
    "\"\\u-123\"", "\"\\u0x12\"", "\"\\'\"", "\"\\0\"", "\"\\N\"", "\"\\ \"",
    /* halves of pairs */
    "[\"\\uDADA\"]", "[\"\\uD888\\u1234\"]", "[\"\\uD800\\n\"]", "[\"\\uDd1ea\"]", "[\"\\uD800\\uD800\\n\"]",
    "[\"\\ud800\"]", "[\"\\ud800abc\"]", "[\"\\uDd1e\\uD834\"]", "[\"\\uDFAA\"]", "[\"\\udbff\\udbff\"]",
    "{\"\\ud800\":1}",
    /* bytes that are not UTF-8 */
    "[\"\xff\"]", "[\"\xe5\"]", "[\"\x81\"]", "[\"\xc0\xaf\"]", "[\"\xfc\x83\xbf\xbf\xbf\xbf\"]",
    "[\"\xc1\xbf\"]", "[\"\xe0\x80\xaf\"]", "[\"\xe0\x9f\xbf\"]", "[\"\xf0\x80\x80\xaf\"]",
    "[\"\xf0\x8f\xbf\xbf\"]", "[\"\xf4\x90\x80\x80\"]", "[\"\xf5\x80\x80\x80\"]", "[\"\xed\xa0\x80\"]",
    "[\"\xed\xbf\xbf\"]", "[\"\xe9\"]", "[\"\xe2\x82\"]", "[\"\xe2\x28\xa1\"]", "[\"\xf0\x9f\x98\"]",
    "{\"\xff\":1}",
    /* words, blanks */
    "[True]", "[FALSE]", "[nULL]", "nul", "nulll", "truefalse", "tru", "t", "[1]\xc2\xa0", "[\xc2\xa0]",
    "\xe2\x80\xa8[]", "\f[]", "[]\v", "null,", "[fals]", NESTED_63("[[]]"), NESTED_63("{\"a\":{}}")};

static void all_of_json_is_accepted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++)
        check_case(is_valid(accepted[i], strlen(accepted[i])), accepted[i]);
}

static void all_else_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        check_case(!is_valid(refused[i], strlen(refused[i])), refused[i]);
}

static void a_zero_byte_is_no_end(void **state) {
    (void)state;
    assert_true(is_valid("[1]", 3));
    assert_false(is_valid("[1]\0", 4));
    assert_false(is_valid("\0", 1));
    assert_false(is_valid("[\0]", 3));
    assert_false(is_valid("[\"\0\"]", 5));
    assert_false(is_valid("[\"\\\0\"]", 6));
    assert_false(is_valid("[\"\\u00\0"
                          "0\"]",
                          10));
    assert_false(cly_json_is_valid(NULL, 0));
}

/* Every beginning of every text, with nothing readable behind it. A number alone
 * and what ends in blanks may be whole before its end. */
static void every_beginning_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        const char *text = accepted[i], *end = strpbrk(text, "[{\"");
        size_t whole = strlen(text);
        if (end == NULL) continue;
        while (strchr(" \t\r\n", text[whole - 1])) whole--;
        for (size_t length = 0; length < whole; length++)
            if (is_valid(text, length)) fail_msg("%zu bytes of %s", length, text);
    }
}

/* Whatever the last byte is, nothing is read behind it. */
static void every_beginning_is_read_safely(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        for (size_t length = 0; length <= strlen(refused[i]); length++) is_valid(refused[i], length);
}

static char *repeated(const char *piece, size_t count) {
    size_t length = strlen(piece);
    char *text = malloc(count * length + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) memcpy(text + i * length, piece, length);
    text[count * length] = '\0';
    return text;
}

/* A recursion without a limit would run out of stack. */
static void deep_texts_are_refused(void **state) {
    static const char *const pieces[] = {"[", "{\"a\":", "[{\"a\":", "[[],"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        char *text = repeated(pieces[i], 100000);
        assert_false(is_valid(text, strlen(text)));
        free(text);
    }
}

/* Just under the ceiling of a reply. */
static void long_texts_are_read(void **state) {
    char *text = repeated("[15555555555555555555,", 47000);
    size_t length = strlen(text);
    (void)state;
    for (size_t at = 1; at < length; at++)
        if (text[at] == '[') text[at] = ' ';
    text[length - 1] = ']';
    assert_true(is_valid(text, length));
    free(text);
}

/* ---- members ---- */

static const struct {
    const char *description, *text;
    cly_json_type type;
    const char *value;
} members[] = {
    {"a string, with its quotes", "{\"id\":\"a\"}", CLY_JSON_STRING, "\"a\""},
    {"blanks are not part of it", " { \"id\" : \"a\" } ", CLY_JSON_STRING, "\"a\""},
    {"a number stays text", "{\"id\":155555555555555555550.10}", CLY_JSON_NUMBER, "155555555555555555550.10"},
    {"null", "{\"id\":null}", CLY_JSON_NULL, "null"},
    {"true", "{\"id\":true}", CLY_JSON_TRUE, "true"},
    {"false", "{\"id\":false}", CLY_JSON_FALSE, "false"},
    {"an array", "{\"id\":[ 1, {} ]}", CLY_JSON_ARRAY, "[ 1, {} ]"},
    {"an object", "{\"id\":{\"id\":\"b\"}}", CLY_JSON_OBJECT, "{\"id\":\"b\"}"},
    {"behind others", "{\"a\":1,\"b\":[1],\"id\":\"a\"}", CLY_JSON_STRING, "\"a\""},
    {"before others", "{\"id\":\"a\",\"a\":{\"id\":1}}", CLY_JSON_STRING, "\"a\""},
    {"a name with escapes", "{\"\\u0069\\u0064\":\"a\"}", CLY_JSON_STRING, "\"a\""},
    {"none", "{}", CLY_JSON_ABSENT, NULL},
    {"another name", "{\"ID\":1,\"i\":1,\"idx\":1,\"\":1,\"i\xc3\xa9\":1}", CLY_JSON_ABSENT, NULL},
    {"a name with a zero byte behind", "{\"id\\u0000\":1}", CLY_JSON_ABSENT, NULL},
    {"only inside another", "{\"a\":{\"id\":\"a\"},\"b\":[{\"id\":\"a\"}]}", CLY_JSON_ABSENT, NULL},
    {"in an object in an array", "[{\"id\":\"a\"}]", CLY_JSON_ABSENT, NULL},
    {"no object", "\"id\"", CLY_JSON_ABSENT, NULL},
};

static void members_are_found(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        size_t length = strlen(members[i].text);
        cly_json_member id = {"id", {CLY_JSON_NULL, NULL, 7}};
        char value[64] = "";
        check_case(cly_json_read(&id, 1, edge_copy(members[i].text, length), length), members[i].description);
        check_case(id.value.type == members[i].type, members[i].description);
        memcpy(value, id.value.start ? id.value.start : "", id.value.length);
        check_case_text(id.value.start ? value : NULL, members[i].value, members[i].description);
    }
}

static void several_members_are_found_at_once(void **state) {
    static const char text[] = "{\"b\":[2],\"x\":0,\"a\":1}";
    cly_json_member wanted[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    (void)state;
    assert_true(cly_json_read(wanted, COUNT_OF(wanted), text, sizeof text - 1));
    assert_int_equal(wanted[0].value.type, CLY_JSON_NUMBER);
    assert_ptr_equal(wanted[1].value.start, text + 5);
    assert_int_equal(wanted[1].value.length, 3);
    assert_int_equal(wanted[2].value.type, CLY_JSON_ABSENT);
}

static void a_wanted_name_stands_once(void **state) {
    static const char *const twice[] = {
        "{\"id\":\"a\",\"id\":\"b\"}",          "{\"id\":\"a\",\"id\":\"a\"}",
        "{\"id\":null,\"id\":\"a\"}",           "{\"id\":\"a\",\"\\u0069d\":\"b\"}",
        "{\"id\":1,\"x\":2,\"id\":3,\"id\":4}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(twice); i++) {
        cly_json_member id = {.name = "id"}, other = {.name = "other"};
        check_case(!cly_json_read(&id, 1, twice[i], strlen(twice[i])), twice[i]);
        check_case(id.value.type == CLY_JSON_ABSENT, twice[i]);
        check_case(cly_json_read(&other, 1, twice[i], strlen(twice[i])), twice[i]);
    }
}

static void nothing_is_found_in_half_a_text(void **state) {
    static const char text[] = "{\"id\":\"a\",\"b\":1}";
    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        cly_json_member id = {.name = "id"};
        assert_false(cly_json_read(&id, 1, edge_copy(text, length), length));
        assert_int_equal(id.value.type, CLY_JSON_ABSENT);
    }
}

/* ---- items of an array ---- */

static const struct {
    const char *text, *items[4];
} arrays[] = {
    {"[]", {NULL}},
    {"[ \n]", {NULL}},
    {"[1]", {"1", NULL}},
    {"[ -1.5e3 ,\t\"a,]\" , [2,[3]] ]", {"-1.5e3", "\"a,]\"", "[2,[3]]", NULL}},
    {"[{\"a\":[1,2]},null,[]]", {"{\"a\":[1,2]}", "null", "[]", NULL}},
    {"[\"\\\"]\",true]", {"\"\\\"]\"", "true", NULL}},
};

static void items_come_one_by_one(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(arrays); i++) {
        cly_json_value item = {CLY_JSON_ABSENT, NULL, 0}, array = {CLY_JSON_ARRAY, NULL, 0};
        array.length = strlen(arrays[i].text);
        array.start = edge_copy(arrays[i].text, array.length);
        check_case(cly_json_is_valid(array.start, array.length), arrays[i].text);
        for (size_t at = 0; arrays[i].items[at]; at++) {
            const char *wanted = arrays[i].items[at];
            check_case(cly_json_next_item(&array, &item), wanted);
            check_case(item.length == strlen(wanted), wanted);
            check_case(memcmp(item.start, wanted, item.length) == 0, wanted);
        }
        check_case(!cly_json_next_item(&array, &item), arrays[i].text);
    }
}

/* ---- what a string says ---- */

static const struct {
    const char *text, *said;
    size_t length;
} strings[] = {
    {"\"\"", "", 0},
    {"\"plain\"", "plain", 5},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
    {"\"a\\u0000b\"", "a\0b", 3},
    {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 11},
    {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8},
    {"\"\xe2\x82\xac\\u20AC\xe2\x82\xac\"", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 9},
    {"\"\\\\u0041\"", "\\u0041", 6},
};

static void escapes_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(strings); i++) {
        cly_json_value string = {CLY_JSON_STRING, NULL, strlen(strings[i].text)};
        cly_buffer out;
        cly_buffer_init(&out, 64);
        cly_buffer_byte(&out, '>');
        string.start = edge_copy(strings[i].text, string.length);
        check_case(cly_json_is_valid(string.start, string.length), strings[i].text);
        cly_json_unescape(&out, &string);
        check_case(out.length == strings[i].length + 1, strings[i].text);
        check_case(memcmp(out.data + 1, strings[i].said, strings[i].length) == 0, strings[i].text);
        cly_buffer_clear(&out);
    }
}

static void a_string_that_does_not_fit_is_left_out(void **state) {
    cly_json_value string = {CLY_JSON_STRING, "\"0123456789\"", 12};
    cly_buffer out;
    (void)state;
    cly_buffer_init(&out, 8);
    cly_json_unescape(&out, &string);
    assert_int_equal(out.state, CLY_BUFFER_FULL);
    assert_int_equal(out.length, 0);
    cly_buffer_clear(&out);
}

static const struct {
    const char *text, *said; /* NULL: not to be had in six bytes */
} short_texts[] = {
    {"\"\"", ""},
    {"\"12345\"", "12345"},
    {"\"123456\"", NULL},
    {"\"\\u0031\\n\\u007f\"", "1\n\x7f"},
    {"\"\\u0031\\u0032\\u0033\\u0034\\u0035\"", "12345"},
    {"\"1\\u0000\"", NULL},
    {"\"\\u0080\"", NULL},
    {"\"\xc3\xa9\"", NULL},
    {"\"\\ud83d\\ude00\"", NULL},
};

static void short_texts_need_no_memory(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(short_texts); i++) {
        cly_json_value string = {CLY_JSON_STRING, NULL, strlen(short_texts[i].text)};
        char out[6];
        string.start = edge_copy(short_texts[i].text, string.length);
        check_case(cly_json_is_valid(string.start, string.length), short_texts[i].text);
        check_case(cly_json_short_text(out, sizeof out, &string) == (short_texts[i].said != NULL),
                   short_texts[i].text);
        if (short_texts[i].said) check_case_text(out, short_texts[i].said, short_texts[i].text);
        check_case(!cly_json_short_text(out, 0, &string), short_texts[i].text);
    }
}

/* ---- long numbers ---- */

static const struct {
    const char *description, *text, *exact;
} numbers[] = {
    {"none", "{\"a\":[1,-2.5e3,true]}", "{\"a\":[1,-2.5e3,true]}"},
    {"a trace id", "{\"id\":15555555555555555555}", "{\"id\":\"15555555555555555555\"}"},
    {"several, of any sign", "[-15555555555555555555, 99999999999999999]",
     "[\"-15555555555555555555\", \"99999999999999999\"]"},
    {"the last that is exact", "9007199254740992", "9007199254740992"},
    {"the first that is not", "9007199254740993", "\"9007199254740993\""},
    {"the last below zero", "-9007199254740992", "-9007199254740992"},
    {"the first below zero that is not", "-9007199254740993", "\"-9007199254740993\""},
    {"fewer digits", "999999999999999", "999999999999999"},
    {"a fraction", "15555555555555555555.5", "15555555555555555555.5"},
    {"an exponent", "15555555555555555555e2", "15555555555555555555e2"},
    {"in a string", "[\"15555555555555555555\",\"\\\"15555555555555555555\"]",
     "[\"15555555555555555555\",\"\\\"15555555555555555555\"]"},
    {"in a name", "{\"15555555555555555555\":15555555555555555555}",
     "{\"15555555555555555555\":\"15555555555555555555\"}"},
    {"blanks stay", " [ 15555555555555555555 ] ", " [ \"15555555555555555555\" ] "},
};

static void long_numbers_become_strings(void **state) {
    char out[128];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        size_t length = strlen(numbers[i].text), needed = strlen(numbers[i].exact);
        const char *text = edge_copy(numbers[i].text, length);
        check_case(cly_json_quote_long(NULL, text, length) == needed, numbers[i].description);
        check_case(cly_json_quote_long(out, text, length) == needed, numbers[i].description);
        out[needed] = '\0';
        check_case_text(out, numbers[i].exact, numbers[i].description);
        check_case(is_valid(out, needed), numbers[i].description);
    }
}

static void the_rest_of_a_text_stays(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        size_t length = strlen(accepted[i]);
        char *out = malloc(2 * length + 2);
        assert_non_null(out);
        if (cly_json_quote_long(out, edge_copy(accepted[i], length), length) == length)
            check_case(memcmp(out, accepted[i], length) == 0, accepted[i]);
        else
            check_case(strstr(accepted[i], "5555") || strchr(accepted[i], '9'), accepted[i]);
        free(out);
    }
    assert_int_equal(cly_json_quote_long(NULL, NULL, 0), 0);
}

static const struct {
    const char *text, *compact;
} spaced[] = {
    {" [ 1 , true ,\t{ } ]\r\n", "[1,true,{}]"},
    {"{ \"a b\" : \" c , \\\" d \" }", "{\"a b\":\" c , \\\" d \"}"},
    {"[-1.5e3, 12]", "[-1.5e3,12]"},
    {"\"\"", "\"\""},
};

static void compacting_drops_the_spaces_between_tokens(void **state) {
    char out[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(spaced); i++) {
        size_t length = strlen(spaced[i].text);
        out[cly_json_compact(out, edge_copy(spaced[i].text, length), length)] = '\0';
        check_case_text(out, spaced[i].compact, spaced[i].text);
    }
    assert_int_equal(cly_json_compact(out, NULL, 0), 0);
}

/* ---- against jansson, which others have tried for long ---- */

static uint32_t seed = 20240229;

static uint32_t random_below(uint32_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % limit;
}

/* Where the two are meant to differ: a number too large for a double, and a zero
 * byte in a name, are JSON, but nothing jansson can hold. Zero bytes in strings
 * and long whole numbers it takes when told to. A zero byte that is not escaped is
 * never JSON; behind a number jansson overlooks it. Names that stand twice are
 * compared only where they are not wanted, and nothing here nests too deep for us. */
static bool may_differ(const char *text, size_t length, bool is_ours, const json_error_t *error) {
    if (!is_ours) return memchr(text, '\0', length) != NULL;
    return json_error_code(error) == json_error_numeric_overflow ||
           json_error_code(error) == json_error_null_byte_in_key;
}

static void compare_string(const cly_json_value *ours, const json_t *theirs) {
    cly_buffer out;
    if (ours->type != CLY_JSON_STRING) {
        assert_false(json_is_string(theirs));
        return;
    }
    assert_true(json_is_string(theirs));
    cly_buffer_init(&out, 1024 * 1024);
    cly_json_unescape(&out, ours);
    assert_int_equal(out.length, json_string_length(theirs));
    assert_true(out.length == 0 || memcmp(out.data, json_string_value(theirs), out.length) == 0);
    cly_buffer_clear(&out);
}

static void compare_members(const char *text, size_t length, const json_t *root) {
    static const char *const names[] = {"id", "message", "code", "cntTraceId", "details"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cly_json_member member = {.name = names[i]};
        if (!cly_json_read(&member, 1, text, length)) continue;
        assert_int_equal(member.value.type == CLY_JSON_ABSENT, json_object_get(root, names[i]) == NULL);
        compare_string(&member.value, json_object_get(root, names[i]));
    }
}

static void compare(const char *bytes, size_t length) {
    enum { FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL };
    const char *text = edge_copy(bytes, length);
    json_error_t error = {0};
    json_t *root = json_loadb(text, length, FLAGS, &error);
    bool is_ours = cly_json_is_valid(text, length);
    if (is_ours != (root != NULL) && !may_differ(text, length, is_ours, &error))
        fail_msg("%s: %.*s", is_ours ? error.text : "refused by us", (int)length, text);
    if (root && is_ours) compare_members(text, length, root);
    json_decref(root);
}

/* One change: a byte with a meaning, any byte, a flipped bit, a byte less, a byte
 * twice. `text` has room for one more. */
static size_t mutate(char *text, size_t length) {
    static const char meaning[] = "\"\\{}[]:,-+.eE019 \n\tutfn/\x80\xc3\xed\xf4\0";
    size_t at = random_below((uint32_t)length);
    switch (random_below(5)) {
    case 0: text[at] = meaning[random_below(sizeof meaning)]; return length;
    case 1: text[at] = (char)random_below(256); return length;
    case 2: text[at] = (char)(text[at] ^ (1 << random_below(8))); return length;
    case 3: memmove(text + at, text + at + 1, length - at - 1); return length - 1;
    default: memmove(text + at + 1, text + at, length - at); return length + 1;
    }
}

static void compare_mutations(const char *body, size_t length, int count) {
    char text[8192 + 8];
    assert_true(length <= 8192);
    compare(body, length);
    for (int i = 0; i < count; i++) {
        size_t mutated = length;
        memcpy(text, body, length);
        for (uint32_t changes = random_below(3) + 1; changes > 0 && mutated > 0; changes--)
            mutated = mutate(text, mutated);
        compare(text, mutated);
    }
}

static void compare_fixture(const char *name, const json_t *fixture) {
    size_t length;
    const char *body = fixture_body(fixture, &length);
    (void)name;
    compare_mutations(body, length, 1000);
}

/* Some are empty, and there is nothing in them to change. */
static void compare_webhook(const char *name, const json_t *fixture) {
    if (*fixture_text(fixture, "body")) compare_fixture(name, fixture);
}

static void jansson_says_the_same_of_the_fixtures(void **state) {
    (void)state;
    fixture_each("replies", compare_fixture);
    fixture_each("messages", compare_fixture);
    fixture_each("webhooks", compare_webhook);
}

static void jansson_says_the_same_of_the_tables(void **state) {
    (void)state;
    /* The last two of both are at the depth where only ours ends. */
    for (size_t i = 0; i < COUNT_OF(accepted) - 2; i++)
        compare_mutations(accepted[i], strlen(accepted[i]), 200);
    for (size_t i = 0; i < COUNT_OF(refused) - 2; i++) compare_mutations(refused[i], strlen(refused[i]), 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_json_is_accepted),
        cmocka_unit_test(all_else_is_refused),
        cmocka_unit_test(a_zero_byte_is_no_end),
        cmocka_unit_test(every_beginning_is_refused),
        cmocka_unit_test(every_beginning_is_read_safely),
        cmocka_unit_test(deep_texts_are_refused),
        cmocka_unit_test(long_texts_are_read),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(several_members_are_found_at_once),
        cmocka_unit_test(a_wanted_name_stands_once),
        cmocka_unit_test(nothing_is_found_in_half_a_text),
        cmocka_unit_test(escapes_are_read),
        cmocka_unit_test(a_string_that_does_not_fit_is_left_out),
        cmocka_unit_test(items_come_one_by_one),
        cmocka_unit_test(short_texts_need_no_memory),
        cmocka_unit_test(long_numbers_become_strings),
        cmocka_unit_test(the_rest_of_a_text_stays),
        cmocka_unit_test(compacting_drops_the_spaces_between_tokens),
        cmocka_unit_test(jansson_says_the_same_of_the_fixtures),
        cmocka_unit_test(jansson_says_the_same_of_the_tables),
    };
    return cmocka_run_group_tests_name("core/json/json", tests, NULL, NULL);
}
