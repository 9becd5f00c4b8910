/* Where trusted certificates are looked for, in directories of the test's own, and
 * when a store changes. The handshakes are in spec/lua/certificates_spec.lua. */
#define _XOPEN_SOURCE 700
#include "io/curl/ca_store.h"

#include "io/curl/ca_files.h"
#include "spec/core/ca_paths_support.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTIFICATE "of whom\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"

static char folder[] = "/tmp/connectly-ca-XXXXXX";
static char hashed[64], plain[64], bundle[64], missing[64];
static cly_ca_paths paths;
static cly_config config;
static cly_ca_variables variables;
static cly_ca_system usual;

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put(const char *directory, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    write_file(path, text);
}

static void drop(const char *directory, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

static void name(char out[64], const char *last) {
    snprintf(out, 64, "%s/%s", folder, last);
}

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    name(hashed, "hashed");
    name(plain, "plain");
    name(bundle, "bundle.pem");
    name(missing, "missing");
    return mkdir(hashed, 0700) || mkdir(plain, 0700);
}

static int remove_folder(void **state) {
    (void)state;
    drop(plain, "company.pem");
    return rmdir(hashed) || rmdir(plain) || unlink(bundle) || rmdir(folder);
}

static int begin(void **state) {
    static const cly_ca_variables none = {NULL, "SSL_CERT_FILE", NULL, "SSL_CERT_DIR"};
    (void)state;
    put(hashed, "0123abcd.0", CERTIFICATE);
    put(plain, "company.pem", CERTIFICATE);
    write_file(bundle, CERTIFICATE);
    usual = usual_places(plain, hashed, missing, bundle);
    variables = none;
    cly_config_init(&config);
    return 0;
}

static int end(void **state) {
    static const char *const names[] = {"0123abcd.0", "0123abcd.1", "89abcdef.0"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) drop(hashed, names[i]);
    return 0;
}

static void find(void) {
    cly_ca_paths_find(&paths, &config, &variables, &usual, &cly_ca_files_on_disk);
}

static const char *sample(void) {
    static char path[80];
    snprintf(path, sizeof path, "%s/0123abcd.0", hashed);
    return path;
}

/* ---- where ---- */

static void the_directory_comes_first_and_the_bundle_waits(void **state) {
    (void)state;
    find();
    check_usual(&paths, sample(), hashed, bundle);
}

static void without_hashes_the_bundle_is_used(void **state) {
    (void)state;
    usual.directories[1] = missing;
    find();
    check_pair(&paths.api, bundle, "");
    assert_string_equal(paths.bundle, "");
}

static void for_a_backend_without_hashes_the_bundle_is_used(void **state) {
    (void)state;
    usual.reads_hashes = false;
    find();
    check_pair(&paths.api, bundle, "");
    assert_string_equal(paths.bundle, "");
}

static void where_nothing_is_libcurls_own_stands(void **state) {
    (void)state;
    usual.directories[1] = usual.bundles[1] = missing;
    find();
    check_pair(&paths.api, "", "");
    assert_false(paths.api.is_alone);
}

/* It keeps it parsed, as long as there is no directory. */
static void libcurls_own_bundle_is_left_to_it(void **state) {
    (void)state;
    usual.directories[1] = missing;
    usual.bundles[0] = usual.built_in_bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (usual.bundles[0] == NULL || access(usual.bundles[0], R_OK) != 0) skip();
    find();
    check_pair(&paths.api, "", "");
}

static void a_hash_for_a_name_is_not_enough(void **state) {
    (void)state;
    put(hashed, "0123abcd.0", "no certificate");
    find();
    check_pair(&paths.api, bundle, "");
    put(hashed, "89abcdef.0", CERTIFICATE);
    find();
    assert_non_null(strstr(paths.api.file, "/89abcdef.0"));
}

/* ---- the environment ---- */

static void a_variable_takes_the_place_of_its_half(void **state) {
    (void)state;
    variables.file = "/own.pem";
    find();
    check_pair(&paths.api, sample(), hashed);
    assert_string_equal(paths.bundle, "/own.pem");
    assert_string_equal(paths.file_source, "SSL_CERT_FILE");
    assert_string_equal(paths.directory_source, "system");
    variables.file = NULL;
    variables.directory = plain;
    find();
    check_pair(&paths.api, bundle, plain);
    assert_string_equal(paths.bundle, "");
    assert_string_equal(paths.directory_source, "SSL_CERT_DIR");
}

static void one_of_several_directories_may_have_the_hashes(void **state) {
    char both[140];
    (void)state;
    snprintf(both, sizeof both, "%s:%s", plain, hashed);
    variables.directory = both;
    find();
    check_pair(&paths.api, sample(), both);
    assert_string_equal(paths.bundle, bundle);
}

/* ---- the options ---- */

static void beside_an_option_nothing_is_trusted(void **state) {
    (void)state;
    usual.no_directory = "/dev/null";
    config.ca_file = bundle;
    find();
    check_pair(&paths.api, bundle, "/dev/null");
    assert_true(paths.api.is_alone && paths.bundle[0] == '\0');
    config.ca_file = NULL;
    config.ca_path = hashed;
    find();
    check_pair(&paths.api, sample(), hashed);
    assert_true(paths.api.is_alone && paths.bundle[0] == '\0');
    config.ca_file = bundle;
    find();
    check_pair(&paths.api, bundle, hashed);
    assert_false(paths.api.is_sample);
}

/* The whole directory is no file: with it each handshake fails, as it should. */
static void a_ca_path_without_certificates_trusts_none(void **state) {
    (void)state;
    config.ca_path = plain;
    find();
    check_pair(&paths.api, plain, plain);
}

static void the_proxy_has_options_of_its_own(void **state) {
    (void)state;
    config.proxy_ca_path = hashed;
    find();
    check_pair(&paths.proxy, sample(), hashed);
    assert_true(paths.proxy.is_alone);
    assert_string_equal(paths.bundle, bundle);
}

static void what_cannot_be_read_is_named(void **state) {
    (void)state;
    check_options(&config, &variables, &cly_ca_files_on_disk, missing, hashed);
}

/* ---- what changes later ---- */

static void a_sample_that_has_gone_is_replaced(void **state) {
    CURL *easy = curl_easy_init();
    cly_ca_store store;
    (void)state;
    put(hashed, "89abcdef.0", CERTIFICATE);
    config.ca_path = hashed;
    find();
    cly_ca_store_init(&store, &paths);
    assert_false(cly_ca_store_wants_again(&store, 0, easy, CURLE_SSL_CACERT_BADFILE));
    unlink(store.api.file);
    assert_true(cly_ca_store_wants_again(&store, 0, easy, CURLE_SSL_CACERT_BADFILE));
    assert_int_equal(access(store.api.file, R_OK), 0);
    assert_int_equal(store.generation, 1);
    assert_true(cly_ca_store_wants_again(&store, 0, easy, CURLE_SSL_CACERT_BADFILE));
    assert_false(cly_ca_store_wants_again(&store, 1, easy, CURLE_SSL_CACERT_BADFILE));
    unlink(store.api.file);
    assert_false(cly_ca_store_wants_again(&store, 1, easy, CURLE_SSL_CACERT_BADFILE));
    assert_string_equal(store.api.file, hashed);
    assert_int_equal(store.generation, 1);
    curl_easy_cleanup(easy);
}

static void a_directory_may_be_filled_later(void **state) {
    CURL *easy = curl_easy_init();
    cly_ca_store store;
    (void)state;
    drop(hashed, "0123abcd.0");
    config.ca_path = hashed;
    find();
    cly_ca_store_init(&store, &paths);
    assert_false(cly_ca_store_wants_again(&store, 0, easy, CURLE_SSL_CACERT_BADFILE));
    put(hashed, "0123abcd.0", CERTIFICATE);
    assert_true(cly_ca_store_wants_again(&store, 0, easy, CURLE_SSL_CACERT_BADFILE));
    check_pair(&store.api, sample(), hashed);
    curl_easy_cleanup(easy);
}

static void the_bundle_is_added_once(void **state) {
    CURL *easy = curl_easy_init();
    cly_ca_store store;
    (void)state;
    find();
    cly_ca_store_init(&store, &paths);
    drop(hashed, "0123abcd.0");
    assert_true(cly_ca_store_wants_again(&store, 0, easy, CURLE_SSL_CACERT_BADFILE));
    check_pair(&store.api, bundle, hashed);
    check_pair(&store.proxy, bundle, hashed);
    assert_false(cly_ca_store_wants_again(&store, 1, easy, CURLE_SSL_CACERT_BADFILE));
    curl_easy_cleanup(easy);
}

static void another_failure_changes_nothing(void **state) {
    static const CURLcode codes[] = {CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR, CURLE_OPERATION_TIMEDOUT,
                                     CURLE_PEER_FAILED_VERIFICATION};
    CURL *easy = curl_easy_init();
    cly_ca_store store;
    (void)state;
    find();
    cly_ca_store_init(&store, &paths);
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        assert_false(cly_ca_store_wants_again(&store, 0, easy, codes[i]));
    assert_int_equal(store.generation, 0);
    curl_easy_cleanup(easy);
}

/* CN=test, for a hundred years. */
static const char real_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                       "MIIBdTCCARugAwIBAgIUfTayArqZPX/avHuhqq+QTaU76o4wCgYIKoZIzj0EAwIw\n"
                                       "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMzAxOTUxMjhaGA8yMTI2MTEwNjE5NTEy\n"
                                       "OFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE3a\n"
                                       "w2Xop/rnU7ekVJ6El36sXNgu9/sw0boaPsggR0jIKX5se09eDZR3b6nSGA+Ufxbj\n"
                                       "oS9ue7KwfdGkbnAjLbKjUzBRMB0GA1UdDgQWBBQOHm2ujI+5Y/s/xyktzcnJJ9G+\n"
                                       "GDAfBgNVHSMEGDAWgBQOHm2ujI+5Y/s/xyktzcnJJ9G+GDAPBgNVHRMBAf8EBTAD\n"
                                       "AQH/MAoGCCqGSM49BAMCA0gAMEUCIBB6o40cPbmqUT1UpL+7VmNx2dsoV3IIKBUw\n"
                                       "T6F7LJx0AiEAyj3PHBgYHQ1Qxfdr8lT4ESH7FWoQG0vf5PTgFtcKCOc=\n"
                                       "-----END CERTIFICATE-----\n";

/* Of nothing. */
static const char private_key[] = "-----BEGIN PRIVATE KEY-----\n"
                                  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMxmSWjGrhKt/YEir\n"
                                  "TF6LnfpRRi+gir0Dm00ChtEc2R+hRANCAARtB1IJWy3VGRXI9WNJBGx0smkGJlUI\n"
                                  "GH6XAWu6b47Hy1cgLmZKVRg+GcNrJ+jMoPd/14kQM17S7uBCVtZSJyeJ\n"
                                  "-----END PRIVATE KEY-----\n";

/* A descriptor was free too late: the certificates are not to blame. */
static void a_file_that_can_be_read_again_was_not_read(void **state) {
    cly_ca_store store;
    (void)state;
    config.ca_file = bundle;
    find();
    cly_ca_store_init(&store, &paths);
    assert_false(cly_ca_store_was_unread(&store, CURLE_SSL_CACERT_BADFILE)); /* no certificate */
    write_file(bundle, private_key);
    assert_false(cly_ca_store_was_unread(&store, CURLE_SSL_CACERT_BADFILE));
    write_file(bundle, real_certificate);
    assert_true(cly_ca_store_was_unread(&store, CURLE_SSL_CACERT_BADFILE));
    assert_false(cly_ca_store_was_unread(&store, CURLE_PEER_FAILED_VERIFICATION));
    paths.has_tls_proxy = true;
    snprintf(store.proxy.file, sizeof store.proxy.file, "%s", missing);
    assert_false(cly_ca_store_was_unread(&store, CURLE_SSL_CACERT_BADFILE));
    unlink(bundle);
    assert_false(cly_ca_store_was_unread(&store, CURLE_SSL_CACERT_BADFILE));
    write_file(bundle, CERTIFICATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_directory_comes_first_and_the_bundle_waits),
        TEST(without_hashes_the_bundle_is_used),
        TEST(for_a_backend_without_hashes_the_bundle_is_used),
        TEST(where_nothing_is_libcurls_own_stands),
        TEST(libcurls_own_bundle_is_left_to_it),
        TEST(a_hash_for_a_name_is_not_enough),
        TEST(a_variable_takes_the_place_of_its_half),
        TEST(one_of_several_directories_may_have_the_hashes),
        TEST(beside_an_option_nothing_is_trusted),
        TEST(a_ca_path_without_certificates_trusts_none),
        TEST(the_proxy_has_options_of_its_own),
        TEST(what_cannot_be_read_is_named),
        TEST(a_sample_that_has_gone_is_replaced),
        TEST(a_directory_may_be_filled_later),
        TEST(the_bundle_is_added_once),
        TEST(another_failure_changes_nothing),
        TEST(a_file_that_can_be_read_again_was_not_read),
    };
    return cmocka_run_group_tests_name("io/curl/ca_store", tests, make_folder, remove_folder);
}
