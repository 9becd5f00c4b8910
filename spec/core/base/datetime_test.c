#include "core/base/datetime.h"

#include "spec/core/edge_support.h"
#include "spec/core/test.h"
#include <math.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *text;
    bool answer;
} moments[] = {
    {"2026-12-01T15:00:00Z", true},
    {"2026-12-01t15:00:00z", true},
    {"2026-12-01T15:00Z", true},
    {"2026-12-01T15:00:00.123456Z", true},
    {"2026-12-01T15:00:00,5Z", true},
    {"2026-12-01T15:00:00+05:30", true},
    {"2026-12-01T15:00:00-0800", true},
    {"2026-12-01T15:00:00+01", true},
    {"2028-02-29T23:59:60Z", true},
    {"2000-02-29T00:00:00Z", true},
    {"", false},
    {"2026-12-01", false},
    {"2026-12-01T15:00:00", false}, /* whose hour? */
    {"2026-12-01 15:00:00Z", false},
    {"2026-02-29T15:00:00Z", false},
    {"2100-02-29T15:00:00Z", false},
    {"2026-04-31T15:00:00Z", false},
    {"2026-00-01T15:00:00Z", false},
    {"2026-13-01T15:00:00Z", false},
    {"2026-12-00T15:00:00Z", false},
    {"2026-12-01T24:00:00Z", false},
    {"2026-12-01T15:60:00Z", false},
    {"2026-12-01T15:00:61Z", false},
    {"2026-12-01T15:00:00.Z", false},
    {"2026-12-01T15:00:00+", false},
    {"2026-12-01T15:00:00+24:00", false},
    {"2026-12-01T15:00:00+01:60", false},
    {"2026-12-01T15:00:00+01:", false},
    {"2026-12-01T15:00:00+010", false},
    {"2026-12-01T15:00:00Z ", false},
    {" 2026-12-01T15:00:00Z", false},
    {"26-12-01T15:00:00Z", false},
    {"2026-1-01T15:00:00Z", false},
    {"2026/12/01T15:00:00Z", false},
    {"20261201T150000Z", false},
    {"1796137200", false},
    {"tomorrow", false},
};

/* Each text ends at an unreadable page. */
static void a_moment_is_in_the_calendar_and_has_a_zone(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        size_t length = strlen(moments[i].text);
        check_case(cly_is_datetime(edge_copy(moments[i].text, length), length) == moments[i].answer,
                   moments[i].text);
    }
}

static void a_moment_cut_off_anywhere_is_none(void **state) {
    static const char whole[] = "2026-12-01T15:00:00.5+05:30";
    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        bool ends_after_zone_hours = length == sizeof whole - 1 - 3;
        assert_int_equal(cly_is_datetime(edge_copy(whole, length), length), ends_after_zone_hours);
    }
}

/* Each day of a century, and its last second, as the C library has them. */
static void unix_seconds_are_written_as_the_c_library_does(void **state) {
    (void)state;
    for (long day = 0; day < 47482; day++) {
        for (int i = 0; i < 2; i++) {
            time_t seconds = (time_t)day * 86400 + i * 86399;
            char out[CLY_DATETIME_SIZE], expected[32];
            assert_true(cly_datetime_write(out, (double)seconds + 0.9));
            strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
            assert_string_equal(out, expected);
            assert_true(cly_is_datetime(out, strlen(out)));
        }
    }
}

static void milliseconds_and_the_like_are_no_moment(void **state) {
    char out[CLY_DATETIME_SIZE];
    (void)state;
    assert_true(cly_datetime_write(out, 253402300799.0));
    assert_string_equal(out, "9999-12-31T23:59:59Z");
    assert_false(cly_datetime_write(out, 253402300800.0));
    assert_false(cly_datetime_write(out, 1796137200000.0));
    assert_false(cly_datetime_write(out, -1));
    assert_false(cly_datetime_write(out, HUGE_VAL));
    assert_false(cly_datetime_write(out, NAN));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_in_the_calendar_and_has_a_zone),
        cmocka_unit_test(a_moment_cut_off_anywhere_is_none),
        cmocka_unit_test(unix_seconds_are_written_as_the_c_library_does),
        cmocka_unit_test(milliseconds_and_the_like_are_no_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
