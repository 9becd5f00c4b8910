#include "core/api/request.h"

#include "spec/core/memory_support.h"
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

static void a_url_is_its_origin_and_the_target(void **state) {
    const char *urls[] = {"https://x/v1/b?c=//d", "https://x:8443", "http://[::1]:80/", "https://x//a://b"};
    const char *targets[] = {"/v1/b?c=//d", "", "/", "//a://b"};
    (void)state;
    for (int i = 0; i < 4; i++) assert_string_equal(urls[i] + cly_request_origin(urls[i]), targets[i]);
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

/* ---- all headers of a request ---- */

static char lines[1024]; /* those that were added, each ended by \n */
static int spared;       /* so many can be added */

static bool add_line(void *list, const char *line) {
    if (spared-- == 0) return false;
    if (strncmp(line, "X-API-Key", 9) == 0) memory_watch(line, 64);
    strcat(list, line);
    strcat(list, "\n");
    return true;
}

static cly_kind make_headers(const char *key, bool has_body) {
    lines[0] = '\0';
    return cly_request_headers(add_line, lines, key, "connectly-lua/1", has_body, &error);
}

static void a_request_has_these_headers(void **state) {
    (void)state;
    spared = 100;
    assert_int_equal(make_headers("secret", true), CLY_OK);
    assert_string_equal(lines, "X-API-Key: secret\nUser-Agent: connectly-lua/1\nAccept: application/json\n"
                               "Content-Type: application/json\n");
    assert_int_equal(make_headers("secret", false), CLY_OK);
    assert_string_equal(lines, "X-API-Key: secret\nUser-Agent: connectly-lua/1\nAccept: application/json\n");
}

static void a_key_with_a_control_byte_adds_nothing(void **state) {
    (void)state;
    spared = 100;
    assert_int_equal(make_headers("k\r\nX-Other: y", true), CLY_ARGUMENT);
    assert_string_equal(lines, "");
}

static void a_line_that_is_not_taken_is_a_lack_of_memory(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        spared = i;
        assert_int_equal(make_headers("secret", true), CLY_OVERLOADED);
    }
    spared = 4;
    assert_int_equal(make_headers("secret", true), CLY_OK);
}

/* Whether there was room for the line or not, and though the list did not take all. */
static void the_key_is_wiped(void **state) {
    static const size_t lengths[] = {60, 255, 400};
    char key[512];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        memset(key, 'k', lengths[i]);
        key[lengths[i]] = '\0';
        spared = i == 1 ? 1 : 100;
        assert_int_equal(make_headers(key, true), i == 1 ? CLY_OVERLOADED : CLY_OK);
        assert_non_null(memory_freed());
        for (int byte = 0; byte < 64; byte++) assert_int_equal(memory_freed()[byte], 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_url_is_put_together),
        TEST(the_business_is_one_segment),
        TEST(a_url_is_its_origin_and_the_target),
        TEST(a_long_url_is_refused),
        TEST(a_header_is_one_line),
        TEST(nobody_slips_a_header_in),
        TEST(a_long_header_is_refused),
        TEST(a_request_has_these_headers),
        TEST(a_key_with_a_control_byte_adds_nothing),
        TEST(a_line_that_is_not_taken_is_a_lack_of_memory),
        TEST(the_key_is_wiped),
    };
    return cmocka_run_group_tests_name("core/api/request", tests, NULL, NULL);
}
