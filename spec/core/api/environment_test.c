/* What the environment's variables mean, with an environment of the test's own. */
#include "core/api/environment.h"

#include "spec/core/test.h"
#include <stdio.h>
#include <string.h>

#define TEST(name) cmocka_unit_test_setup(name, begin)

enum { ROOM = 8 };

static struct {
    const char *name;
    char value[40];
} variables[ROOM];

static int begin(void **state) {
    (void)state;
    memset(variables, 0, sizeof variables);
    return 0;
}

static void set(const char *name, const char *value) {
    int at = 0;
    while (variables[at].name) at++;
    assert_true(at < ROOM - 1);
    variables[at].name = name;
    snprintf(variables[at].value, sizeof variables[at].value, "%s", value);
}

static char *lookup(const char *name) {
    for (int i = 0; variables[i].name; i++)
        if (strcmp(variables[i].name, name) == 0) return variables[i].value;
    return NULL;
}

static void expect_proxy(const char *base_url, const char *proxy, const char *no_proxy) {
    const char *found, *exceptions;
    cly_environment_proxy(lookup, base_url, NULL, &found, &exceptions);
    assert_string_equal(found, proxy);
    assert_string_equal(exceptions, no_proxy);
    cly_environment_proxy(lookup, base_url, "http://option:1", &found, &exceptions);
    assert_string_equal(found, "http://option:1");
    assert_string_equal(exceptions, "");
}

static void the_defaults_of_options_are_found(void **state) {
    cly_config_defaults defaults;
    (void)state;
    set("CONNECTLY_API_KEY", "key");
    set("CONNECTLY_BASE_URL", "https://x");
    defaults = cly_environment_defaults(lookup);
    assert_string_equal(defaults.api_key, "key");
    assert_null(defaults.business_id);
    assert_string_equal(defaults.base_url, "https://x");
}

static void the_proxy_for_https_comes_first(void **state) {
    (void)state;
    expect_proxy("https://x", "", "");
    set("ALL_PROXY", "http://all:1");
    expect_proxy("https://x", "http://all:1", "");
    set("HTTPS_PROXY", "http://upper:1");
    set("https_proxy", "");
    expect_proxy("https://x", "http://upper:1", "");
    set("NO_PROXY", "example.com");
    expect_proxy("https://x", "http://upper:1", "example.com");
}

static void a_variable_in_lower_case_hides_the_other(void **state) {
    (void)state;
    set("HTTPS_PROXY", "http://upper:1");
    set("https_proxy", "http://lower:1");
    expect_proxy("https://x", "http://lower:1", "");
}

static void plain_http_goes_by_no_proxy(void **state) {
    (void)state;
    set("https_proxy", "http://lower:1");
    set("no_proxy", "example.com");
    expect_proxy("http://127.0.0.1:8080", "", "");
}

static void the_certificates_are_those_of_curl_and_openssl(void **state) {
    cly_ca_variables found;
    (void)state;
    set("SSL_CERT_FILE", "/file");
    set("SSL_CERT_DIR", "/directory");
    found = cly_environment_ca(lookup);
    assert_string_equal(found.file, "/file");
    assert_string_equal(found.directory, "/directory");
    set("CURL_CA_BUNDLE", "/bundle");
    assert_string_equal(cly_environment_ca(lookup).file, "/bundle");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_of_options_are_found),
        TEST(the_proxy_for_https_comes_first),
        TEST(a_variable_in_lower_case_hides_the_other),
        TEST(plain_http_goes_by_no_proxy),
        TEST(the_certificates_are_those_of_curl_and_openssl),
    };
    return cmocka_run_group_tests_name("core/api/environment", tests, NULL, NULL);
}
