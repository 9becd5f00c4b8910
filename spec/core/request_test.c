#include "core/request.h"

#include "spec/core/test.h"

static cly_buffer buffer;
static cly_error error;

static int begin(void **state) {
    (void)state;
    cly_error_clear(&error);
    cly_buffer_init(&buffer, 64);
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_buffer_clear(&buffer);
    return 0;
}

static void an_url_is_put_together(void **state) {
    (void)state;
    assert_int_equal(cly_request_url(&buffer, "https://x", "biz_1", "/send/messages", &error), CLY_OK);
    assert_string_equal(buffer.data, "https://x/v1/businesses/biz_1/send/messages");
    assert_int_equal(cly_request_url(&buffer, "https://y", "a", "/b", &error), CLY_OK);
    assert_string_equal(buffer.data, "https://y/v1/businesses/a/b");
}

/* An id is one segment, whatever is in it. */
static void the_business_is_one_segment(void **state) {
    (void)state;
    assert_int_equal(cly_request_url(&buffer, "https://x", "a/../b?c#\xc3\xa9 ", "/p", &error), CLY_OK);
    assert_string_equal(buffer.data, "https://x/v1/businesses/a%2F..%2Fb%3Fc%23%C3%A9%20/p");
}

static void a_long_url_is_refused(void **state) {
    (void)state;
    assert_int_equal(cly_request_url(&buffer, "https://x", "////////////////////", "/p", &error),
                     CLY_ARGUMENT);
    assert_string_equal(error.message, "URL: larger than 64 bytes");
    assert_int_equal(error.outcome, CLY_NOT_SENT);
}

static void a_header_is_one_line(void **state) {
    (void)state;
    assert_int_equal(cly_request_header(&buffer, "X-API-Key", "a+/= b", &error), CLY_OK);
    assert_string_equal(buffer.data, "X-API-Key: a+/= b");
}

static void nobody_slips_a_header_in(void **state) {
    static const char *const values[] = {"k\r\nX-Other: y", "k\n", "\r", "k\tx", "k\x7f", "\x01"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        cly_error_clear(&error);
        check_case(cly_request_header(&buffer, "X-API-Key", values[i], &error) == CLY_ARGUMENT, values[i]);
        assert_string_equal(error.message, "header X-API-Key: holds a control byte");
    }
}

static void a_long_header_is_refused(void **state) {
    (void)state;
    assert_int_equal(cly_request_header(&buffer, "X-API-Key",
                                        "0123456789012345678901234567890123456789012345678901234567890",
                                        &error),
                     CLY_ARGUMENT);
    assert_string_equal(error.message, "header: larger than 64 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_url_is_put_together), TEST(the_business_is_one_segment), TEST(a_long_url_is_refused),
        TEST(a_header_is_one_line),   TEST(nobody_slips_a_header_in),    TEST(a_long_header_is_refused),
    };
    return cmocka_run_group_tests_name("core/request", tests, NULL, NULL);
}
