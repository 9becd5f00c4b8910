#include "core/encode/table_reader.h"

#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <stdio.h>
#include <string.h>

static cly_problems problems;
static source_host host;
static cly_source source;
static cly_reader reader;

static int begin(void **state) {
    (void)state;
    cly_problems_init(&problems);
    source = source_make(&host);
    reader.source = &source;
    reader.problems = &problems;
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_problems_clear(&problems);
    return 0;
}

/* Collects a location and keeps its values alive until the next call. */
static void collect(const char *quoted, cly_slots *slots) {
    static json_t *table = NULL;
    json_decref(table);
    table = quoted ? message_parse(quoted) : NULL;
    cly_problems_reset(&problems);
    if (table) cly_collect(&reader, &cly_shape_row, source_value(table), NULL, slots);
}

static void fields_find_their_places(void **state) {
    cly_slots slots;
    (void)state;
    collect("{'description':'d','id':'i','text':null}", &slots);
    assert_int_equal(problems.count, 0);
    assert_true(slots.given[CLY_AT(row, id)]);
    assert_true(slots.given[CLY_AT(row, description)]);
    assert_false(slots.given[CLY_AT(row, text)]); /* null counts as absent */
    assert_string_equal(json_string_value(slots.values[CLY_AT(row, id)].pointer), "i");
    collect(NULL, &slots);
}

static const struct {
    const char *description, *table, *param, *message;
} faults[] = {
    {"a slip is understood", "{'discription':'x'}", "discription",
     "unknown field; did you mean `description`?"},
    {"swapped letters", "{'txet':'x'}", "txet", "unknown field; did you mean `text`?"},
    {"nothing near lists what there is", "{'colour':'x'}", "colour",
     "unknown field; known are id, text, description"},
    {"an empty key", "{'':'x'}", "", "unknown field; did you mean `id`?"},
    {"list items", "['x']", "[1]", "field name expected, got a list item or other key"},
    {"a key that begins with a known one", "{'text2':'x'}", "text2", "unknown field; did you mean `text`?"},
    {"a beginning of a known one", "{'tex':'x'}", "tex", "unknown field; did you mean `text`?"},
    {"case counts", "{'Text':'x'}", "Text", "unknown field; did you mean `text`?"},
};

static void unknown_keys_are_named(void **state) {
    cly_slots slots;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        collect(faults[i].table, &slots);
        check_case(problems.count == 1, faults[i].description);
        check_case_text(cly_problem_param(&problems, 0), faults[i].param, faults[i].description);
        if (faults[i].param[0])
            check_case_text(cly_problem_message(&problems, 0), faults[i].message, faults[i].description);
    }
    collect(NULL, &slots);
}

/* Lua's keys may hold zero bytes; C's comparison of strings ends at one. The
 * longest known name is as long as any array of ours: behind it ASan watches. */
static void a_key_with_a_zero_byte_is_unknown(void **state) {
    static const char key[] =
        "id\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    cly_slots slots;
    (void)state;
    for (size_t length = 3; length < sizeof key; length++) {
        json_t *table = json_object(), *value = json_string("x");
        cly_problems_reset(&problems);
        json_object_setn_new_nocheck(table, key, length, value);
        cly_collect(&reader, &cly_shape_row, source_value(table), NULL, &slots);
        assert_false(slots.given[CLY_AT(row, id)]);
        assert_int_equal(problems.count, 1);
        json_decref(table);
    }
}

static void both_spellings_are_one_field(void **state) {
    json_t *table = message_parse("{'template_name':'a','templateName':'b'}");
    cly_slots slots;
    (void)state;
    cly_collect(&reader, &cly_shape_template, source_value(table), NULL, &slots);
    assert_int_equal(problems.count, 1);
    assert_string_equal(cly_problem_param(&problems, 0), "template_name");
    assert_string_equal(cly_problem_message(&problems, 0),
                        "given twice, as `template_name` and as `templateName`");
    json_decref(table);
}

static void problems_come_in_the_order_of_names(void **state) {
    cly_slots slots;
    (void)state;
    collect("{'zz':1,'mm':1,'aa':1}", &slots);
    assert_string_equal(cly_problem_param(&problems, 0), "aa");
    assert_string_equal(cly_problem_param(&problems, 2), "zz");
    collect(NULL, &slots);
}

static void a_table_of_very_many_fields_ends(void **state) {
    json_t *table = json_object();
    cly_slots slots;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        json_object_set_new(table, name, json_null());
    }
    cly_collect(&reader, &cly_shape_row, source_value(table), NULL, &slots);
    assert_true(problems.count + problems.overflow < 300);
    assert_true(host.most_held < 300);
    json_decref(table);
}

static int length_of(const char *quoted, int low, int high) {
    json_t *list = message_parse(quoted);
    cly_list read;
    int count;
    cly_problems_reset(&problems);
    count = cly_reader_list(&reader, source_value(list), NULL, low, high, &read);
    assert_int_equal(count, read.count);
    assert_int_equal(count<0, problems.count> 0);
    json_decref(list);
    return count;
}

static void lists_have_bounds(void **state) {
    (void)state;
    assert_int_equal(length_of("[1,2,3]", 0, 3), 3);
    assert_int_equal(length_of("[]", 0, 3), 0);
    assert_int_equal(length_of("{}", 0, 3), 0); /* Lua has one empty table */
    assert_int_equal(length_of("[1,2,3,4]", 0, 3), -1);
    assert_string_equal(cly_problem_message(&problems, 0), "at most 3 items, got 4");
    assert_int_equal(length_of("[]", 1, 3), -1);
    assert_string_equal(cly_problem_message(&problems, 0), "at least 1 item");
    assert_int_equal(length_of("[1]", 2, 3), -1);
    assert_string_equal(cly_problem_message(&problems, 0), "at least 2 items");
    assert_int_equal(length_of("{'a':1}", 0, 3), -1);
    assert_int_equal(length_of("'x'", 0, 3), -1);
    assert_string_equal(cly_problem_message(&problems, 0), "table expected, got string");
}

/* As a Lua table { [1] = , [4] = }: two items, the last at 4. */
static cly_list_shape with_holes(void *self, cly_value table) {
    cly_list_shape list = {2, 4, false, false};
    (void)self, (void)table;
    return list;
}

static int no_plain_list(void *self, cly_value table, cly_value *items, int room) {
    (void)self, (void)table, (void)items, (void)room;
    return -1;
}

static cly_value item_with_holes(void *self, cly_value table, size_t index) {
    (void)self;
    return index == 1 || index == 4 ? table : source_value(NULL);
}

static void a_hole_is_named(void **state) {
    json_t *list = json_array();
    cly_list read;
    (void)state;
    source.items = no_plain_list;
    source.list = with_holes;
    source.item = item_with_holes;
    assert_int_equal(cly_reader_list(&reader, source_value(list), NULL, 0, 10, &read), -1);
    assert_string_equal(cly_problem_param(&problems, 0), "[2]");
    assert_string_equal(cly_problem_message(&problems, 0), "missing: a list has no holes");
    json_decref(list);
}

/* As setmetatable({ text = "own" }, { __index = { id = "default", text = "hidden" } }). */
static json_t *defaults;

static bool has_defaults(void *self, cly_value table) {
    (void)self, (void)table;
    return true;
}

static cly_value field_or_default(void *self, cly_value table, const char *name) {
    (void)self, (void)table;
    return source_value(json_object_get(defaults, name));
}

static void defaults_fill_what_is_absent(void **state) {
    cly_slots slots;
    (void)state;
    defaults = message_parse("{'template_name':'d','language':'de','campaignName':'c','number':null}");
    source.has_defaults = has_defaults;
    source.field = field_or_default;
    {
        json_t *table = message_parse("{'language':'en'}");
        cly_collect(&reader, &cly_shape_template, source_value(table), NULL, &slots);
        assert_string_equal(json_string_value(slots.values[CLY_AT(template, language)].pointer), "en");
        assert_string_equal(json_string_value(slots.values[CLY_AT(template, template_name)].pointer), "d");
        assert_string_equal(json_string_value(slots.values[CLY_AT(template, campaign_name)].pointer), "c");
        assert_false(slots.given[CLY_AT(template, number)]);
        json_decref(table);
    }
    json_decref(defaults);
}

static void the_given_are_counted(void **state) {
    cly_slots slots;
    size_t at = 99;
    (void)state;
    collect("{'id':'i','description':'d'}", &slots);
    assert_int_equal(cly_count_given(&slots, CLY_AT(row, id), CLY_AT(row, description), &at), 2);
    assert_int_equal(at, CLY_AT(row, description));
    at = 99;
    assert_int_equal(cly_count_given(&slots, CLY_AT(row, text), CLY_AT(row, text), &at), 0);
    assert_int_equal(at, 99);
    collect(NULL, &slots);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fields_find_their_places),
        TEST(unknown_keys_are_named),
        TEST(a_key_with_a_zero_byte_is_unknown),
        TEST(both_spellings_are_one_field),
        TEST(problems_come_in_the_order_of_names),
        TEST(a_table_of_very_many_fields_ends),
        TEST(lists_have_bounds),
        TEST(a_hole_is_named),
        TEST(defaults_fill_what_is_absent),
        TEST(the_given_are_counted),
    };
    return cmocka_run_group_tests_name("core/encode/table_reader", tests, NULL, NULL);
}
