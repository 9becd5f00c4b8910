/* Which certificates are chosen out of options, variables and the usual places, with a
 * file system of the test's own. That of the machine is in spec/io/curl/ca_store_test.c. */
#include "core/connect/ca_paths.h"

#include "spec/core/ca_paths_support.h"
#include <string.h>

static cly_ca_paths paths;
static cly_config config;
static cly_ca_variables variables;
static cly_ca_system usual;
static cly_error error;

static char own[] = "/own.pem", hashed[] = "/hashed", plain[] = "/plain", missing[] = "/missing";
static char several[] = ":/hashed::/plain", one_missing[] = "/hashed:/missing";

/* ---- the files: all are readable but /missing and those in it ---- */

static bool is_there(const char *path) {
    return strncmp(path, "/missing", 8) != 0;
}

/* /hashed and /hashed2 hold certificates by hash, /plain holds them by other names. */
static bool find_sample(char out[CLY_CA_PATH_SIZE], const char *directory, bool by_hash) {
    bool is_hashed = strncmp(directory, "/hashed", 7) == 0;
    if (!is_hashed && (by_hash || strcmp(directory, "/plain") != 0)) return false;
    strcpy(out, directory);
    strcat(out, is_hashed ? "/0123abcd.0" : "/company.pem");
    return true;
}

static const cly_ca_files files = {is_there, find_sample};

static int begin(void **state) {
    (void)state;
    usual = usual_places("/plain", "/hashed", "/missing.pem", "/bundle.pem");
    variables = cly_ca_variables_make(NULL, NULL, NULL);
    cly_config_init(&config);
    cly_error_clear(&error);
    return 0;
}

static void find(void) {
    cly_ca_paths_find(&paths, &config, &variables, &usual, &files);
}

static void check_sources(const char *directory, const char *file) {
    assert_string_equal(paths.directory_source, directory);
    assert_string_equal(paths.file_source, file);
}

/* ---- the system ---- */

static void the_directory_comes_first_and_the_bundle_waits(void **state) {
    (void)state;
    find();
    check_usual(&paths, "/hashed/0123abcd.0", "/hashed", "/bundle.pem");
    assert_true(paths.reads_hashes);
}

static void without_hashes_the_bundle_is_used(void **state) {
    (void)state;
    usual.directories[1] = NULL;
    find();
    check_pair(&paths.api, "/bundle.pem", "");
    assert_string_equal(paths.bundle, "");
    assert_false(paths.api.is_sample);
}

static void a_backend_that_reads_no_hashes_gets_the_bundle(void **state) {
    (void)state;
    usual.reads_hashes = false;
    find();
    check_pair(&paths.api, "/bundle.pem", "");
    assert_string_equal(paths.bundle, "");
    assert_false(paths.reads_hashes);
}

static void where_nothing_is_libcurls_own_stands(void **state) {
    (void)state;
    usual.directories[0] = usual.directories[1] = NULL;
    usual.bundles[1] = "/missing/too.pem";
    find();
    check_pair(&paths.api, "", "");
    assert_false(paths.api.is_alone);
}

static void the_built_in_bundle_is_left_to_libcurl(void **state) {
    (void)state;
    usual.directories[1] = NULL;
    usual.built_in_bundle = "/bundle.pem";
    find();
    check_pair(&paths.api, "", "");
    usual.built_in_bundle = "/other.pem";
    find();
    check_pair(&paths.api, "/bundle.pem", "");
}

/* Its bundle must be named then: libcurl would not use it beside the directory. */
static void not_beside_a_directory(void **state) {
    (void)state;
    usual.reads_hashes = false;
    usual.built_in_bundle = "/bundle.pem";
    variables.directory = "/plain";
    find();
    check_pair(&paths.api, "/bundle.pem", "/plain");
}

static void the_places_that_libcurl_was_built_with_come_first(void **state) {
    cly_ca_system system = cly_ca_system_make("/d", "/b", "OpenSSL/3.5.1", 0x081000);
    (void)state;
    assert_string_equal(system.directories[0], "/d");
    assert_string_equal(system.directories[1], "/etc/ssl/certs");
    assert_null(system.directories[2]);
    assert_string_equal(system.bundles[0], "/b");
    assert_string_equal(system.bundles[1], "/etc/ssl/certs/ca-certificates.crt");
    assert_null(system.bundles[5]);
    assert_string_equal(system.built_in_bundle, "/b");
    system = cly_ca_system_make(NULL, NULL, NULL, 0x081000);
    assert_string_equal(system.directories[0], "/etc/ssl/certs");
    assert_string_equal(system.bundles[0], "/etc/ssl/certs/ca-certificates.crt");
    assert_null(system.built_in_bundle);
}

static const struct {
    const char *backend;
    bool reads_hashes;
} backends[] = {{"OpenSSL/3.5.1", true},
                {"LibreSSL/4.0.0", true},
                {"GnuTLS/3.8.9", false},
                {"mbedTLS/3.6.4", false},
                {"(OpenSSL/3.5.1) GnuTLS/3.8.9", false},
                {"Secure Transport", false},
                {"", false},
                {NULL, false}};

static void only_some_backends_read_hashes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(backends); i++) {
        cly_ca_system system = cly_ca_system_make("/d", "/b", backends[i].backend, 0x081100);
        check_case(system.reads_hashes == backends[i].reads_hashes, backends[i].backend);
        check_case((system.no_directory != NULL) == backends[i].reads_hashes, backends[i].backend);
    }
}

/* From 8.17 on NULL leaves the directory that it was built with. */
static void no_directory_needs_a_name_for_a_new_libcurl(void **state) {
    (void)state;
    assert_null(cly_ca_system_make("/d", "/b", "OpenSSL/3.5.1", 0x0810ff).no_directory);
    assert_null(cly_ca_system_make(NULL, "/b", "OpenSSL/3.5.1", 0x081100).no_directory);
    assert_string_equal(cly_ca_system_make("/d", "/b", "OpenSSL/3.5.1", 0x081100).no_directory, "/dev/null");
}

/* ---- the environment ---- */

static void curls_variable_hides_those_of_openssl(void **state) {
    (void)state;
    variables = cly_ca_variables_make("/curl.pem", "/openssl.pem", "/hashed2");
    find();
    check_pair(&paths.api, "/hashed/0123abcd.0", "/hashed");
    assert_string_equal(paths.bundle, "/curl.pem");
    check_sources("system", "CURL_CA_BUNDLE");
}

static void openssls_variables_are_used_without_curls(void **state) {
    (void)state;
    variables = cly_ca_variables_make("", "/openssl.pem", "/hashed2");
    find();
    check_pair(&paths.api, "/hashed2/0123abcd.0", "/hashed2");
    assert_string_equal(paths.bundle, "/openssl.pem");
    check_sources("SSL_CERT_DIR", "SSL_CERT_FILE");
}

static void an_empty_variable_is_not_set(void **state) {
    (void)state;
    variables = cly_ca_variables_make("", "", "");
    assert_true(variables.file == NULL && variables.directory == NULL);
}

static void a_directory_without_hashes_is_used_beside_the_bundle(void **state) {
    (void)state;
    variables.directory = "/plain";
    find();
    check_pair(&paths.api, "/bundle.pem", "/plain");
    assert_string_equal(paths.bundle, "");
    check_sources("SSL_CERT_DIR", "system");
}

static void one_of_several_directories_may_have_the_hashes(void **state) {
    (void)state;
    variables.directory = ":/plain::/hashed:/hashed2:";
    find();
    check_pair(&paths.api, "/hashed/0123abcd.0", ":/plain::/hashed:/hashed2:");
    assert_string_equal(paths.bundle, "/bundle.pem");
}

/* ---- the options ---- */

static void beside_an_option_nothing_is_trusted(void **state) {
    (void)state;
    variables = cly_ca_variables_make(NULL, "/openssl.pem", "/hashed2");
    usual.no_directory = "/dev/null";
    config.ca_file = own;
    find();
    check_pair(&paths.api, "/own.pem", "/dev/null");
    assert_true(paths.api.is_alone && paths.bundle[0] == '\0');
    check_sources("ca_path", "ca_file");
    config.ca_path = hashed;
    find();
    check_pair(&paths.api, "/own.pem", "/hashed");
    assert_false(paths.api.is_sample);
    config.ca_file = NULL;
    find();
    check_pair(&paths.api, "/hashed/0123abcd.0", "/hashed");
    assert_true(paths.api.is_alone && paths.api.is_sample && paths.bundle[0] == '\0');
}

/* The directory in place of a file: with it each handshake fails, as it should. */
static void a_ca_path_without_certificates_trusts_none(void **state) {
    (void)state;
    config.ca_path = plain;
    find();
    check_pair(&paths.api, "/plain", "/plain");
    usual.reads_hashes = false;
    find();
    check_pair(&paths.api, "/plain/company.pem", "/plain");
}

static void the_proxy_has_options_of_its_own(void **state) {
    (void)state;
    config.proxy_ca_file = own;
    find();
    check_pair(&paths.proxy, "/own.pem", "");
    assert_true(paths.proxy.is_alone);
    check_pair(&paths.api, "/hashed/0123abcd.0", "/hashed");
    assert_string_equal(paths.bundle, "/bundle.pem");
}

/* ---- what cannot be read ---- */

static void check_refused(const char *param, const char *hint) {
    cly_error_clear(&error);
    check_case(cly_ca_paths_check(&config, &variables, &files, &error) == CLY_CONFIG, param);
    check_case_text(error.param, param, param);
    check_case_text(error.hint, hint, param);
    assert_int_equal(error.outcome, CLY_NOT_SENT);
    assert_int_equal(cly_ca_paths_check(&config, &variables, &files, NULL), CLY_CONFIG);
}

static void an_option_is_refused_by_its_name(void **state) {
    (void)state;
    check_options(&config, &variables, &files, missing, hashed);
}

static void each_of_several_directories_must_be_readable(void **state) {
    (void)state;
    config.ca_path = one_missing;
    check_refused("ca_path", NULL);
    config.ca_path = several;
    assert_int_equal(cly_ca_paths_check(&config, &variables, &files, &error), CLY_OK);
}

static void a_path_that_is_too_long_cannot_be_read(void **state) {
    char path[CLY_CA_PATH_SIZE + 1] = "/";
    (void)state;
    memset(path + 1, 'x', CLY_CA_PATH_SIZE - 1);
    config.ca_file = path;
    check_refused("ca_file", NULL);
    config.ca_file = NULL;
    config.ca_path = path;
    check_refused("ca_path", NULL);
}

static void a_variable_is_refused_by_its_name(void **state) {
    static const char hint[] = "correct or unset the environment variable, or give ca_file";
    (void)state;
    variables = cly_ca_variables_make("/missing", NULL, NULL);
    check_refused("CURL_CA_BUNDLE", hint);
    variables = cly_ca_variables_make(NULL, "/missing", NULL);
    check_refused("SSL_CERT_FILE", hint);
    variables = cly_ca_variables_make(NULL, NULL, "/hashed:/missing");
    check_refused("SSL_CERT_DIR", hint);
    config.ca_file = own; /* with it the variable is not used */
    assert_int_equal(cly_ca_paths_check(&config, &variables, &files, &error), CLY_OK);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_directory_comes_first_and_the_bundle_waits),
        TEST(without_hashes_the_bundle_is_used),
        TEST(a_backend_that_reads_no_hashes_gets_the_bundle),
        TEST(where_nothing_is_libcurls_own_stands),
        TEST(the_built_in_bundle_is_left_to_libcurl),
        TEST(not_beside_a_directory),
        TEST(the_places_that_libcurl_was_built_with_come_first),
        TEST(only_some_backends_read_hashes),
        TEST(no_directory_needs_a_name_for_a_new_libcurl),
        TEST(curls_variable_hides_those_of_openssl),
        TEST(openssls_variables_are_used_without_curls),
        TEST(an_empty_variable_is_not_set),
        TEST(a_directory_without_hashes_is_used_beside_the_bundle),
        TEST(one_of_several_directories_may_have_the_hashes),
        TEST(beside_an_option_nothing_is_trusted),
        TEST(a_ca_path_without_certificates_trusts_none),
        TEST(the_proxy_has_options_of_its_own),
        TEST(an_option_is_refused_by_its_name),
        TEST(each_of_several_directories_must_be_readable),
        TEST(a_path_that_is_too_long_cannot_be_read),
        TEST(a_variable_is_refused_by_its_name),
    };
    return cmocka_run_group_tests_name("core/connect/ca_paths", tests, NULL, NULL);
}
