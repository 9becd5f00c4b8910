#include "core/api/problems.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <string.h>

static cly_problems problems;

static int begin(void **state) {
    (void)state;
    cly_problems_init(&problems);
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_problems_clear(&problems);
    return 0;
}

static void paths_are_written_as_lua_would(void **state) {
    cly_path cards = cly_path_name(NULL, "cards"), second = cly_path_index(&cards, 2);
    cly_path body = cly_path_name(&second, "body"), first = cly_path_index(&body, 1);
    cly_path alone = cly_path_index(NULL, 7);
    (void)state;
    cly_problem_add(&problems, &first, "%s expected", "string");
    cly_problem_add(&problems, &alone, "x");
    cly_problem_add(&problems, NULL, "about the whole");
    assert_int_equal(problems.count, 3);
    assert_string_equal(cly_problem_param(&problems, 0), "cards[2].body[1]");
    assert_string_equal(cly_problem_message(&problems, 0), "string expected");
    assert_string_equal(cly_problem_param(&problems, 1), "[7]");
    assert_string_equal(cly_problem_param(&problems, 2), "");
}

static void none_is_no_error(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    assert_int_equal(cly_problems_check(&problems, CLY_ARGUMENT, &error), CLY_OK);
    assert_int_equal(error.kind, CLY_OK);
}

static void the_error_is_the_first_and_counts_the_others(void **state) {
    cly_path number = cly_path_name(NULL, "number");
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    cly_problem_add(&problems, &number, "missing");
    cly_problem_add(&problems, NULL, "other");
    cly_problem_add(&problems, NULL, "third");
    assert_int_equal(cly_problems_check(&problems, CLY_ARGUMENT, &error), CLY_ARGUMENT);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_string_equal(error.param, "number");
    assert_string_equal(error.message, "number: missing (and 2 more)");
    assert_non_null(error.hint);
}

static void a_problem_of_the_whole_has_no_colon(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    cly_problem_add(&problems, NULL, "table expected");
    assert_int_equal(cly_problems_check(&problems, CLY_CONFIG, &error), CLY_CONFIG);
    assert_string_equal(error.message, "table expected");
}

static void an_error_before_stays(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    cly_error_set(&error, CLY_CLOSED, CLY_NOT_SENT, "closed");
    cly_problem_add(&problems, NULL, "x");
    assert_int_not_equal(cly_problems_check(&problems, CLY_ARGUMENT, &error), CLY_OK);
    assert_string_equal(error.message, "closed");
}

/* An unknown key may be anything, and errors end in logs. */
static void a_users_text_is_shortened_and_hidden(void **state) {
    char key[300];
    cly_path path;
    (void)state;
    memset(key, 'k', sizeof key);
    path = cly_path_text(NULL, key, sizeof key);
    cly_problem_add(&problems, &path, "unknown");
    assert_int_equal(strlen(cly_problem_param(&problems, 0)), 47);
    path = cly_path_text(NULL, "+14155550123\n", 13);
    cly_problem_add(&problems, &path, "unknown");
    assert_string_equal(cly_problem_param(&problems, 1), "+#?");
    path = cly_path_text(NULL, "a\0b", 3);
    cly_problem_add(&problems, &path, "unknown");
    assert_string_equal(cly_problem_param(&problems, 2), "a?b");
}

static void a_long_message_is_cut(void **state) {
    char text[1000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cly_problem_add(&problems, NULL, "%s", text);
    assert_int_equal(strlen(cly_problem_message(&problems, 0)), 319);
}

static void only_the_first_hundred_are_kept(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    for (int i = 0; i < 250; i++) cly_problem_add(&problems, NULL, "number %d", i);
    assert_int_equal(problems.count, CLY_PROBLEM_MAX);
    assert_int_equal(problems.overflow, 150);
    assert_string_equal(cly_problem_message(&problems, 99), "number 99");
    assert_int_equal(cly_problems_check(&problems, CLY_ARGUMENT, &error), CLY_ARGUMENT);
    assert_string_equal(error.message, "number 0 (and 249 more)");
}

static void a_hundred_of_the_longest_fit(void **state) {
    char text[256] = "";
    cly_path path = cly_path_text(NULL, text, 255), inner = cly_path_text(&path, text, 255);
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < CLY_PROBLEM_MAX; i++) cly_problem_add(&problems, &inner, "%s", text);
    assert_int_equal(problems.count, CLY_PROBLEM_MAX);
}

static void add(const char *name) {
    cly_path path = cly_path_name(NULL, name);
    cly_problem_add(&problems, &path, "%s!", name);
}

/* lua_next promises no order. */
static void those_of_one_table_are_sorted(void **state) {
    static const char *const sorted[] = {"z", "a", "b", "c", "c"};
    (void)state;
    add("z");
    add("c"), add("a"), add("c"), add("b");
    cly_problems_sort_from(&problems, 1);
    for (size_t i = 0; i < COUNT_OF(sorted); i++)
        assert_string_equal(cly_problem_param(&problems, i), sorted[i]);
    assert_string_equal(cly_problem_message(&problems, 2), "b!");
    cly_problems_sort_from(&problems, 5);
    cly_problems_sort_from(&problems, 99);
}

static void reset_begins_anew(void **state) {
    (void)state;
    add("x");
    cly_problems_reset(&problems);
    assert_int_equal(problems.count, 0);
    add("y");
    assert_string_equal(cly_problem_param(&problems, 0), "y");
}

/* A fault that cannot be noted must not become a success. */
static void a_problem_without_memory_is_still_an_error(void **state) {
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    memory_fail(0, MEMORY_FAILS_ONCE);
    add("x");
    assert_true(memory_restore());
    assert_int_equal(cly_problems_check(&problems, CLY_ARGUMENT, &error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(paths_are_written_as_lua_would),
        TEST(none_is_no_error),
        TEST(the_error_is_the_first_and_counts_the_others),
        TEST(a_problem_of_the_whole_has_no_colon),
        TEST(an_error_before_stays),
        TEST(a_users_text_is_shortened_and_hidden),
        TEST(a_long_message_is_cut),
        TEST(only_the_first_hundred_are_kept),
        TEST(a_hundred_of_the_longest_fit),
        TEST(those_of_one_table_are_sorted),
        TEST(reset_begins_anew),
        TEST(a_problem_without_memory_is_still_an_error),
    };
    return cmocka_run_group_tests_name("core/api/problems", tests, NULL, NULL);
}
