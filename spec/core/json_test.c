#include "core/json.h"

#include "core/buffer.h"
#include "spec/core/edge_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

#define NESTED_8(inner) "[[[[[[[[" inner "]]]]]]]]"
#define NESTED_63(inner) \
    NESTED_8(NESTED_8(NESTED_8(NESTED_8(NESTED_8(NESTED_8(NESTED_8("[[[[[[[" inner "]]]]]]]")))))))

/* `same` is what the text is read as, written compactly; NULL: no JSON. */
static const struct {
    const char *description, *text, *same;
} cases[] = {
    {"an object", "{\"id\":\"x\"}", "{\"id\":\"x\"}"},
    {"blanks around it", " \n{ }\t", "{}"},
    {"any value may stand at the top", "\"x\"", "\"x\""},
    {"a number alone", "12", "12"},
    {"null alone", "null", "null"},
    {"nothing", "", NULL},
    {"only a blank", " ", NULL},
    {"HTML", "<html><body>502 Bad Gateway</body></html>", NULL},
    {"half an object", "{\"id\":\"01AR", NULL},
    {"half an escape", "{\"id\":\"\\", NULL},
    {"half of a u escape", "{\"id\":\"\\u00", NULL},
    {"an end too many", "{}}", NULL},
    {"two values", "{} {}", NULL},
    {"a key that stands twice", "{\"id\":\"a\",\"id\":\"b\"}", NULL},
    {"a key that stands twice, far inside", "{\"a\":[{\"x\":1,\"x\":2}]}", NULL},
    {"invalid UTF-8", "{\"id\":\"\xff\"}", NULL},
    {"a lone surrogate", "\"\\ud800\"", NULL},
    {"a byte order mark", "\xef\xbb\xbf{}", NULL},
    {"a trailing comma", "[1,]", NULL},
    {"a comment", "{/* */}", NULL},
    {"a single quote", "{'a':1}", NULL},
    {"NaN", "NaN", NULL},
    {"20 digits become a string", "{\"cntTraceId\":15555555555555555555}",
     "{\"cntTraceId\":\"15555555555555555555\"}"},
    {"negative ones as well", "[-15555555555555555555]", "[\"-15555555555555555555\"]"},
    {"19 digits that fit stay a number", "[9223372036854775807]", "[9223372036854775807]"},
    {"beside a long one, strings with digits stay as they are",
     "[\"15555555555555555555\",\"a\\\"15555555555555555555\",15555555555555555555]",
     "[\"15555555555555555555\",\"a\\\"15555555555555555555\",\"15555555555555555555\"]"},
    {"beside a long one, short ones stay numbers", "[15555555555555555555,12,-3]",
     "[\"15555555555555555555\",12,-3]"},
    {"a long one cut off at the end of an array", "[15555555555555555555", NULL},
    {"a long one, then garbage", "[15555555555555555555+5]", NULL},
    {"a long one, then a second sign", "[15555555555555555555,--5555555555555555555]", NULL},
    {"a long one, then one with leading zeros", "[15555555555555555555,00000000000000000000001]", NULL},
    {"64 deep", NESTED_63("[]"), NESTED_63("[]")},
    {"65 deep", NESTED_63("[[]]"), NULL},
    {"brackets in a string do not count",
     "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"",
     "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""},
};

static char *reread(const char *text) {
    json_t *root = cly_json_load(edge_copy(text, strlen(text)), strlen(text));
    char *same = root ? json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(root);
    return same;
}

static void texts_are_read_or_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *same = reread(cases[i].text);
        check_case_text(same, cases[i].same, cases[i].description);
        free(same);
    }
}

/* Every beginning of a text, with nothing readable behind it. */
static void every_beginning_is_refused(void **state) {
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"x\\\"\\u20ac\xe2\x82\xac\",true,null,15555555555555555555],\"b\":{\"c\":{}}}";
    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++)
        assert_null(cly_json_load(edge_copy(text, length), length));
}

static char *repeated(const char *piece, size_t count) {
    size_t length = strlen(piece);
    char *text = malloc(count * length + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) memcpy(text + i * length, piece, length);
    text[count * length] = '\0';
    return text;
}

/* A recursive parser would run out of stack. */
static void deep_texts_are_refused(void **state) {
    static const char *const pieces[] = {"[", "{\"a\":", "[{\"a\":", "[]["};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        char *text = repeated(pieces[i], 100000);
        assert_null(cly_json_load(edge_copy(text, strlen(text)), strlen(text)));
        free(text);
    }
}

static void ends_too_many_do_not_dig_a_hole(void **state) {
    static const char text[] = "]]]]}}}}" NESTED_63("[[]]");
    (void)state;
    assert_false(cly_json_is_shallow(text, sizeof text - 1));
    assert_true(cly_json_is_shallow("]]]]", 4));
}

/* Just under the ceiling of a reply; quoting makes it longer. */
static void long_texts_are_read(void **state) {
    enum { COUNT = 49000 };
    char *text = repeated("[15555555555555555555,", COUNT);
    size_t length = strlen(text);
    json_t *root;
    (void)state;
    for (size_t at = 1; at < length; at++)
        if (text[at] == '[') text[at] = ' ';
    text[length - 1] = ']';
    root = cly_json_load(edge_copy(text, length), length);
    assert_int_equal(json_array_size(root), COUNT);
    assert_string_equal(json_string_value(json_array_get(root, COUNT - 1)), "15555555555555555555");
    json_decref(root);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_or_refused), cmocka_unit_test(every_beginning_is_refused),
        cmocka_unit_test(deep_texts_are_refused),    cmocka_unit_test(ends_too_many_do_not_dig_a_hole),
        cmocka_unit_test(long_texts_are_read),
    };
    return cmocka_run_group_tests_name("core/json", tests, NULL, NULL);
}
