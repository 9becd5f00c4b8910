/* When the certificates that are trusted change, and how. */
#include "core/connect/ca_store.h"

#include "spec/core/test.h"
#include <string.h>

static cly_ca_paths paths;
static cly_ca_store store;
static bool has_sample, has_bundle; /* can be read */
static const char *next_sample;     /* to be found; NULL for none */

static bool is_readable(const char *path) {
    return strcmp(path, "/bundle.pem") == 0 ? has_bundle : has_sample;
}

static bool find_sample(char out[CLY_CA_PATH_SIZE], const char *directory, bool by_hash) {
    (void)directory, (void)by_hash;
    if (next_sample) strcpy(out, next_sample);
    return next_sample != NULL;
}

static const cly_ca_files files = {is_readable, find_sample};

static int begin(void **state) {
    (void)state;
    memset(&paths, 0, sizeof paths);
    strcpy(paths.api.file, "/hashed/0123abcd.0");
    strcpy(paths.api.directory, "/hashed");
    strcpy(paths.bundle, "/bundle.pem");
    paths.api.is_sample = true;
    has_sample = has_bundle = true;
    next_sample = NULL;
    cly_ca_store_init(&store, &paths);
    return 0;
}

static bool change(cly_ca_fault fault, bool is_proxys, long verify_result) {
    cly_ca_failure failure = {fault, is_proxys, verify_result};
    return cly_ca_store_change(&store, &failure, &files);
}

static void a_proxy_without_certificates_of_its_own_has_the_apis(void **state) {
    (void)state;
    assert_string_equal(store.proxy.file, "/hashed/0123abcd.0");
    strcpy(paths.proxy.file, "/proxy.pem");
    paths.proxy.is_alone = true;
    cly_ca_store_init(&store, &paths);
    assert_string_equal(store.proxy.file, "/proxy.pem");
}

static void a_lack_of_the_issuer_adds_the_bundle_once(void **state) {
    (void)state;
    assert_true(change(CLY_CA_UNVERIFIED, false, 20));
    assert_string_equal(store.api.file, "/bundle.pem");
    assert_string_equal(store.api.directory, "/hashed");
    assert_string_equal(store.proxy.file, "/bundle.pem");
    assert_false(store.api.is_sample);
    assert_int_equal(store.generation, 1);
    assert_false(change(CLY_CA_UNVERIFIED, false, 20));
    assert_int_equal(store.generation, 1);
}

static void only_some_results_are_a_lack_of_the_issuer(void **state) {
    static const long mended[] = {2, 7, 10, 18, 19, 20, 21}, others[] = {0, 1, 9, 17, 22, 62};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) assert_false(change(CLY_CA_UNVERIFIED, false, others[i]));
    for (size_t i = 0; i < COUNT_OF(mended); i++) {
        begin(NULL);
        assert_true(change(CLY_CA_UNVERIFIED, false, mended[i]));
    }
}

static void a_bundle_that_cannot_be_read_is_not_added(void **state) {
    (void)state;
    has_bundle = false;
    assert_false(change(CLY_CA_UNVERIFIED, false, 20));
    has_bundle = true;
    assert_true(change(CLY_CA_UNVERIFIED, false, 20));
}

static void without_a_bundle_nothing_is_added(void **state) {
    (void)state;
    paths.bundle[0] = '\0';
    assert_false(change(CLY_CA_UNVERIFIED, false, 20));
}

static void a_lost_reason_may_be_a_lack_of_the_issuer(void **state) {
    (void)state;
    assert_false(change(CLY_CA_NO_FAULT, false, 20));
    assert_true(change(CLY_CA_UNSAID, false, 0));
}

static void a_proxys_own_certificates_get_no_bundle(void **state) {
    (void)state;
    paths.proxy.is_alone = true;
    strcpy(paths.proxy.file, "/proxy.pem");
    cly_ca_store_init(&store, &paths);
    assert_false(change(CLY_CA_UNVERIFIED, true, 20));
    assert_true(change(CLY_CA_UNVERIFIED, false, 20));
    assert_string_equal(store.api.file, "/bundle.pem");
    assert_string_equal(store.proxy.file, "/proxy.pem");
}

static void a_sample_that_has_gone_is_replaced(void **state) {
    (void)state;
    has_sample = false;
    next_sample = "/hashed/89abcdef.0";
    assert_true(change(CLY_CA_UNREADABLE, false, 0));
    assert_string_equal(store.api.file, "/hashed/89abcdef.0");
    assert_string_equal(store.proxy.file, "/hashed/89abcdef.0");
    assert_int_equal(store.generation, 1);
    assert_false(store.has_bundle);
}

static void one_that_is_there_stays(void **state) {
    (void)state;
    paths.bundle[0] = '\0';
    next_sample = "/hashed/89abcdef.0";
    assert_false(change(CLY_CA_UNREADABLE, false, 0));
    assert_string_equal(store.api.file, "/hashed/0123abcd.0");
}

static void without_another_the_bundle_is_added(void **state) {
    (void)state;
    has_sample = false;
    assert_true(change(CLY_CA_UNREADABLE, false, 0));
    assert_string_equal(store.api.file, "/bundle.pem");
    assert_int_equal(store.generation, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_proxy_without_certificates_of_its_own_has_the_apis),
        TEST(a_lack_of_the_issuer_adds_the_bundle_once),
        TEST(only_some_results_are_a_lack_of_the_issuer),
        TEST(a_bundle_that_cannot_be_read_is_not_added),
        TEST(without_a_bundle_nothing_is_added),
        TEST(a_lost_reason_may_be_a_lack_of_the_issuer),
        TEST(a_proxys_own_certificates_get_no_bundle),
        TEST(a_sample_that_has_gone_is_replaced),
        TEST(one_that_is_there_stays),
        TEST(without_another_the_bundle_is_added),
    };
    return cmocka_run_group_tests_name("core/connect/ca_store", tests, NULL, NULL);
}
