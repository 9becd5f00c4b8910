/* How a Retry-After line is read. Dates are read by io: here one date is known. */
#include "core/call/retry_after.h"

#include "spec/core/test.h"
#include <string.h>

enum { UNTOUCHED = 77 };

static double seconds_until(const char *date) {
    return strcmp(date, "Sun, 06 Nov 1994 08:49:37 GMT") == 0 ? 12 : -1;
}

static const struct {
    const char *description, *line;
    double seconds;
} lines[] = {
    {"seconds", "Retry-After: 7\r\n", 7},
    {"none", "retry-after: 0\r\n", 0},
    {"without a blank", "RETRY-AFTER:5\r\n", 5},
    {"blanks around", "Retry-After: \t 120 \t\r\n", 120},
    {"the line's end may be missing", "Retry-After: 7", 7},
    {"nine digits", "Retry-After: 999999999\r\n", 999999999},
    {"more digits than fit", "Retry-After: 99999999999999999999\r\n", 1e9},
    {"a date", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 12},
    {"neither", "Retry-After: soon\r\n", -1},
    {"a fraction", "Retry-After: 1.5\r\n", -1},
    {"a sign", "Retry-After: -1\r\n", -1},
    {"nothing", "Retry-After:\r\n", -1},
    {"64 bytes", "Retry-After: 0000000000000000000000000000000000000000000000000000000000000001\r\n", 1e9},
    {"65 bytes", "Retry-After: 00000000000000000000000000000000000000000000000000000000000000001\r\n",
     UNTOUCHED},
    {"another header", "X-Retry-After: 7\r\n", UNTOUCHED},
    {"a longer name", "Retry-After-All: 7\r\n", UNTOUCHED},
    {"the end of the head", "\r\n", UNTOUCHED},
    {"no bytes", "", UNTOUCHED},
};

static void a_line_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        double seconds = UNTOUCHED;
        cly_retry_after_read(&seconds, lines[i].line, strlen(lines[i].line), seconds_until);
        check_case(seconds == lines[i].seconds, lines[i].description);
    }
}

/* libcurl's lines are not ended by a zero byte. */
static void bytes_behind_the_line_do_not_count(void **state) {
    double seconds = UNTOUCHED;
    (void)state;
    cly_retry_after_read(&seconds, "Retry-After: 71", 14, seconds_until);
    assert_true(seconds == 7);
    seconds = UNTOUCHED;
    cly_retry_after_read(&seconds, "Retry-After: 71", 8, seconds_until);
    assert_true(seconds == UNTOUCHED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read),
        cmocka_unit_test(bytes_behind_the_line_do_not_count),
    };
    return cmocka_run_group_tests_name("core/call/retry_after", tests, NULL, NULL);
}
