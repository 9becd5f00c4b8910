#include "core/base/buffer.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"

static void it_keeps_what_it_is_given(void **state) {
    cly_buffer buffer;
    (void)state;
    cly_buffer_init(&buffer, 1024);
    cly_buffer_text(&buffer, "ab");
    cly_buffer_byte(&buffer, '\0');
    cly_buffer_append(&buffer, "cd", 2);
    cly_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.length, 5);
    assert_memory_equal(buffer.data, "ab\0cd", 5);
    cly_buffer_clear(&buffer);
    assert_null(buffer.data);
}

static void it_never_passes_its_ceiling(void **state) {
    cly_buffer buffer;
    (void)state;
    cly_buffer_init(&buffer, 5);
    cly_buffer_text(&buffer, "abcde");
    assert_int_equal(buffer.state, CLY_BUFFER_FINE);
    cly_buffer_byte(&buffer, 'f');
    assert_int_equal(buffer.state, CLY_BUFFER_FULL);
    assert_int_equal(buffer.length, 5);
    cly_buffer_clear(&buffer);
}

static void a_count_near_the_largest_does_not_wrap(void **state) {
    cly_buffer buffer;
    (void)state;
    cly_buffer_init(&buffer, 100);
    cly_buffer_text(&buffer, "abc");
    assert_null(cly_buffer_reserve(&buffer, SIZE_MAX));
    assert_null(cly_buffer_reserve(&buffer, SIZE_MAX - 2));
    assert_int_equal(buffer.length, 3);
    cly_buffer_clear(&buffer);
}

/* A mistake of a writer is refused, and not taken for a great deal of room. */
static void a_length_beyond_the_capacity_has_no_room(void **state) {
    cly_buffer buffer;
    (void)state;
    cly_buffer_init(&buffer, 10000);
    cly_buffer_text(&buffer, "abc");
    buffer.length = buffer.capacity + 1;
    assert_null(cly_buffer_reserve(&buffer, 1));
    assert_int_equal(buffer.state, CLY_BUFFER_FULL);
    cly_buffer_clear(&buffer);
}

static void failure_sticks_until_reset(void **state) {
    cly_buffer buffer;
    cly_error error;
    (void)state;
    cly_error_clear(&error);
    cly_buffer_init(&buffer, 4);
    cly_buffer_text(&buffer, "12345");
    cly_buffer_byte(&buffer, '1'); /* would fit, but a hole before it would be a lie */
    assert_int_equal(buffer.length, 0);
    assert_int_equal(cly_buffer_check(&buffer, "message", &error), CLY_ARGUMENT);
    assert_string_equal(error.message, "message: larger than 4 bytes");
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    cly_buffer_reset(&buffer);
    cly_buffer_text(&buffer, "1234");
    assert_int_equal(cly_buffer_check(&buffer, "message", NULL), CLY_OK);
    cly_buffer_clear(&buffer);
}

static void the_final_zero_is_outside_the_length(void **state) {
    cly_buffer buffer;
    (void)state;
    cly_buffer_init(&buffer, 3);
    cly_buffer_text(&buffer, "ab");
    assert_true(cly_buffer_terminate(&buffer));
    assert_int_equal(buffer.length, 2);
    assert_string_equal(buffer.data, "ab");
    cly_buffer_byte(&buffer, 'c');
    assert_false(cly_buffer_terminate(&buffer)); /* it has no room under the ceiling */
    cly_buffer_clear(&buffer);
}

static void reset_keeps_the_memory(void **state) {
    cly_buffer buffer;
    char *data;
    (void)state;
    cly_buffer_init(&buffer, 10000);
    for (int i = 0; i < 5000; i++) cly_buffer_byte(&buffer, 'x');
    data = buffer.data;
    cly_buffer_reset(&buffer);
    assert_int_equal(buffer.length, 0);
    for (int i = 0; i < 5000; i++) cly_buffer_byte(&buffer, 'y');
    assert_ptr_equal(buffer.data, data);
    cly_buffer_clear(&buffer);
}

static void two_change_their_contents(void **state) {
    cly_buffer one, two;
    (void)state;
    cly_buffer_init(&one, 10);
    cly_buffer_init(&two, 20);
    cly_buffer_text(&one, "one");
    cly_buffer_swap(&one, &two);
    assert_int_equal(one.length, 0);
    assert_int_equal(one.ceiling, 20);
    assert_memory_equal(two.data, "one", 3);
    cly_buffer_clear(&one);
    cly_buffer_clear(&two);
}

static void lack_of_memory_keeps_what_is_there(void **state) {
    cly_buffer buffer;
    cly_error error;
    long live = memory_live();
    (void)state;
    cly_error_clear(&error);
    cly_buffer_init(&buffer, 100000);
    cly_buffer_text(&buffer, "kept");
    memory_fail(0, MEMORY_FAILS_ONCE);
    assert_null(cly_buffer_reserve(&buffer, 1000));
    assert_true(memory_restore());
    assert_int_equal(cly_buffer_check(&buffer, "message", &error), CLY_OVERLOADED);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_memory_equal(buffer.data, "kept", 4);
    cly_buffer_reset(&buffer);
    assert_non_null(cly_buffer_reserve(&buffer, 1000));
    cly_buffer_clear(&buffer);
    assert_int_equal(memory_live(), live);
}

static void much_memory_is_given_back(void **state) {
    cly_buffer buffer;
    (void)state;
    cly_buffer_init(&buffer, 1024 * 1024);
    cly_buffer_text(&buffer, "a usual reply");
    cly_buffer_trim(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_true(buffer.capacity > 0); /* kept for the next */
    while (buffer.length <= CLY_BUFFER_KEEP) cly_buffer_text(&buffer, "a long one");
    cly_buffer_trim(&buffer);
    assert_int_equal(buffer.capacity, 0);
    assert_null(buffer.data);
    cly_buffer_text(&buffer, "again");
    assert_int_equal(buffer.length, 5);
    cly_buffer_clear(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_what_it_is_given),
        cmocka_unit_test(it_never_passes_its_ceiling),
        cmocka_unit_test(a_count_near_the_largest_does_not_wrap),
        cmocka_unit_test(a_length_beyond_the_capacity_has_no_room),
        cmocka_unit_test(failure_sticks_until_reset),
        cmocka_unit_test(the_final_zero_is_outside_the_length),
        cmocka_unit_test(reset_keeps_the_memory),
        cmocka_unit_test(two_change_their_contents),
        cmocka_unit_test(lack_of_memory_keeps_what_is_there),
        cmocka_unit_test(much_memory_is_given_back),
    };
    return cmocka_run_group_tests_name("core/base/buffer", tests, NULL, NULL);
}
