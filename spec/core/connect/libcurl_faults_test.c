/* Which versions of libcurl have which fault: the last that has it, and the first without. */
#include "core/connect/libcurl_faults.h"

#include "spec/core/test.h"

#define TEST(name) cmocka_unit_test(name)

static void each_version_has_its_own(void **state) {
    static const struct {
        unsigned version;
        bool sigpipe, proxied, room, early;
    } rows[] = {
        {0x075000, true, true, false, true},    {0x075700, true, true, false, true},
        {0x075800, false, true, true, true},    {0x075801, false, false, true, true},
        {0x080001, false, false, true, true},   {0x080100, false, false, false, true},
        {0x080400, false, false, false, true},  {0x080500, false, false, false, false},
        {0x081500, false, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cly_libcurl_faults faults = cly_libcurl_faults_of(rows[i].version);
        assert_int_equal(faults.raises_sigpipe, rows[i].sigpipe);
        assert_int_equal(faults.loses_proxied_reply, rows[i].proxied);
        assert_int_equal(faults.needs_room, rows[i].room);
        assert_int_equal(faults.loses_early_replies, rows[i].early);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(each_version_has_its_own)};
    return cmocka_run_group_tests_name("core/connect/libcurl_faults", tests, NULL, NULL);
}
