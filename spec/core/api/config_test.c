#include "core/api/config.h"

#include "spec/core/edge_support.h"
#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVEN "'api_key':'k','business_id':'b'"

static cly_config config;
static cly_problems problems;
static cly_error error;
static cly_config_defaults defaults;
static source_host host;

static int begin(void **state) {
    (void)state;
    cly_problems_init(&problems);
    memset(&defaults, 0, sizeof defaults);
    cly_config_init(&config);
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_config_clear(&config);
    cly_problems_clear(&problems);
    return 0;
}

static cly_kind read_json(const json_t *options) {
    cly_source source = source_make(&host);
    cly_config_clear(&config);
    cly_config_init(&config);
    cly_error_clear(&error);
    return cly_config_read(&config, &defaults, &source, source_value(options), &problems, &error);
}

static cly_kind read_text(const char *fields) {
    char text[4096];
    json_t *options;
    cly_kind kind;
    snprintf(text, sizeof text, "{%s}", fields);
    options = message_parse(text);
    kind = read_json(options);
    json_decref(options);
    return kind;
}

static void two_options_are_enough(void **state) {
    (void)state;
    assert_int_equal(read_text(GIVEN), CLY_OK);
    assert_string_equal(config.api_key, "k");
    assert_string_equal(config.business_id, "b");
    assert_string_equal(config.base_url, "https://api.connectly.ai");
    assert_null(config.sender);
    assert_null(config.proxy);
    assert_true(config.timeout == 30 && config.connect_timeout == 5 && config.rate == 200);
    assert_int_equal(config.max_attempts, 3);
    assert_int_equal(config.max_in_flight, 64);
    assert_int_equal(config.max_connections, 16);
    assert_true(config.http2);
    assert_false(config.retry_unknown);
}

static void all_options_are_read(void **state) {
    (void)state;
    assert_int_equal(
        read_text(GIVEN ",'base_url':'http://127.0.0.1:80/x//','sender':'+14155550100','timeout':0.5,"
                        "'connect_timeout':1,'max_attempts':1,'rate':1.5,'max_in_flight':2,"
                        "'max_connections':3.0,'ca_file':'f','ca_path':'p','proxy':'','proxy_ca_file':'pf',"
                        "'proxy_ca_path':'pp','http2':false,"
                        "'retry_unknown':true,'limiter':{'any':1},'on_event':'any'"),
        CLY_OK);
    assert_string_equal(config.base_url, "http://127.0.0.1:80/x");
    assert_string_equal(config.sender, "+14155550100");
    assert_true(config.timeout == 0.5 && config.rate == 1.5);
    assert_int_equal(config.max_connections, 3);
    assert_string_equal(config.proxy, "");
    assert_string_equal(config.ca_file, "f");
    assert_string_equal(config.ca_path, "p");
    assert_string_equal(config.proxy_ca_file, "pf");
    assert_string_equal(config.proxy_ca_path, "pp");
    assert_false(config.http2);
    assert_true(config.retry_unknown);
}

static void the_environment_fills_what_is_not_given(void **state) {
    (void)state;
    defaults.api_key = "environment key";
    defaults.business_id = "environment business";
    defaults.base_url = "https://localhost/";
    assert_int_equal(read_text("'api_key':'k'"), CLY_OK);
    assert_string_equal(config.api_key, "k");
    assert_string_equal(config.business_id, "environment business");
    assert_string_equal(config.base_url, "https://localhost");
}

/* An empty variable is how a shell forgets one. */
static void an_empty_variable_is_none(void **state) {
    (void)state;
    defaults.api_key = defaults.business_id = defaults.base_url = "";
    assert_int_equal(read_text(GIVEN), CLY_OK);
    assert_string_equal(config.base_url, "https://api.connectly.ai");
    assert_int_equal(read_text(""), CLY_CONFIG);
    assert_int_equal(problems.count, 2);
}

static void a_line_break_of_the_environment_is_named(void **state) {
    (void)state;
    defaults.api_key = "key\n";
    assert_int_equal(read_text("'business_id':'b'"), CLY_CONFIG);
    assert_string_equal(error.param, "api_key");
    assert_non_null(strstr(error.message, "control byte"));
    assert_null(strstr(error.message, "key\n"));
}

static const struct {
    const char *description, *fields, *param, *message;
} refused[] = {
    {"no key", "'business_id':'b'", "api_key", "missing: give it here or in CONNECTLY_API_KEY"},
    {"no business", "'api_key':'k'", "business_id", "missing: give it here or in CONNECTLY_BUSINESS_ID"},
    {"an empty key", "'api_key':'','business_id':'b'", "api_key", "must not be empty"},
    {"a key with a blank", "'api_key':' k','business_id':'b'", "api_key",
     "must not begin or end with a blank"},
    {"a key with a blank behind", "'api_key':'k ','business_id':'b'", "api_key",
     "must not begin or end with a blank"},
    {"a key with a line break", "'api_key':'k\\n','business_id':'b'", "api_key", "holds a control byte"},
    {"a key with a zero byte", "'api_key':'k\\u0000x','business_id':'b'", "api_key", "holds a control byte"},
    {"a key that is a number", "'api_key':1,'business_id':'b'", "api_key", "string expected, got number"},
    {"an empty business", "'api_key':'k','business_id':''", "business_id", "must not be empty"},
    {"a business that climbs", "'api_key':'k','business_id':'..'", "business_id",
     "cannot be a segment of a path"},
    {"a sender that is none", GIVEN ",'sender':'14155550100'", "sender", "a number in E.164 expected"},
    {"no time", GIVEN ",'timeout':0", "timeout", "number from 0.001 to 86400 expected"},
    {"negative time", GIVEN ",'timeout':-1", "timeout", "number from 0.001 to 86400 expected"},
    {"time as text", GIVEN ",'timeout':'30'", "timeout", "number expected, got string"},
    {"half an attempt", GIVEN ",'max_attempts':1.5", "max_attempts", "whole number expected"},
    {"no attempts", GIVEN ",'max_attempts':0", "max_attempts", "number from 1 to 100 expected"},
    {"very many in flight", GIVEN ",'max_in_flight':1e300", "max_in_flight",
     "number from 1 to 10000 expected"},
    {"a flag that is a number", GIVEN ",'http2':1", "http2", "boolean expected, got number"},
    {"an unknown option names the nearest", GIVEN ",'time_out':3", "time_out", "did you mean `timeout`?"},
    {"an empty proxy_ca_file", GIVEN ",'proxy_ca_file':''", "proxy_ca_file", "must not be empty"},
    {"an empty proxy_ca_path", GIVEN ",'proxy_ca_path':''", "proxy_ca_path", "must not be empty"},
    {"an empty ca_file", GIVEN ",'ca_file':''", "ca_file", "must not be empty"},
    {"a base URL in the clear", GIVEN ",'base_url':'http://api.connectly.ai'", "base_url",
     "https:// expected"},
};

static void a_refusal_names_the_option(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        check_case(read_text(refused[i].fields) == CLY_CONFIG, refused[i].description);
        check_case(error.outcome == CLY_NOT_SENT, refused[i].description);
        check_case(problems.count == 1, refused[i].description);
        check_case_text(error.param, refused[i].param, refused[i].description);
        if (strstr(error.message, refused[i].message) == NULL)
            fail_msg("%s: %s", refused[i].description, error.message);
    }
}

static void all_faults_are_found_at_once(void **state) {
    (void)state;
    assert_int_equal(read_text("'timeout':'x','http2':1,'colour':2"), CLY_CONFIG);
    assert_int_equal(problems.count, 5);
}

static void options_are_a_table(void **state) {
    json_t *text = json_string("x");
    (void)state;
    assert_int_equal(read_json(text), CLY_CONFIG);
    assert_string_equal(error.message, "table of options expected, got string");
    json_decref(text);
    assert_int_equal(read_json(NULL), CLY_CONFIG);
}

static void a_text_has_a_ceiling(void **state) {
    json_t *options = message_parse("{" GIVEN "}");
    char key[4098];
    (void)state;
    memset(key, 'k', sizeof key);
    json_object_set_new(options, "api_key", json_stringn(key, 4096));
    assert_int_equal(read_json(options), CLY_OK);
    json_object_set_new(options, "api_key", json_stringn(key, 4097));
    assert_int_equal(read_json(options), CLY_CONFIG);
    assert_string_equal(error.message, "api_key: longer than 4096 bytes");
    json_decref(options);
}

static void clear_may_come_twice(void **state) {
    (void)state;
    assert_int_equal(read_text(GIVEN), CLY_OK);
    cly_config_clear(&config);
    assert_null(config.api_key);
    cly_config_clear(&config);
}

/* NULL: fine. */
static const struct {
    const char *url, *fault;
} urls[] = {
    {"https://api.connectly.ai", NULL},
    {"HTTPS://API.CONNECTLY.AI/", NULL},
    {"https://localhost:8443/proxy/connectly", NULL},
    {"https://[2001:db8::1]:443", NULL},
    {"http://localhost", NULL},
    {"http://localhost:1/x", NULL},
    {"http://127.0.0.1:65535", NULL},
    {"http://127.8.9.10", NULL},
    {"http://[::1]:80", NULL},
    {"http://LocalHost:80", NULL},
    {"http://127.255.0.255/", NULL},
    {"https://x:00443", NULL},
    {"http://localhost.evil.example", "https:// expected"},
    {"http://evil.example", "https:// expected"},
    {"http://127.0.0.1.evil.example", "https:// expected"},
    {"http://127.0.0.1@evil.example", "no user"},
    {"http://localhost:80@evil.example", "no user"},
    {"http://127.1", "https:// expected"},
    {"http://127.0.0.1.", "https:// expected"},
    {"http://128.0.0.1", "https:// expected"},
    {"http://0.0.0.0", "https:// expected"},
    {"http://[::2]", "https:// expected"},
    {"http://[::1", "host name expected"},
    {"https://", "host name expected"},
    {"https:///x", "host name expected"},
    {"https://:80", "host name expected"},
    {"https://user:pass@api.connectly.ai", "no user"},
    {"https://x:", "port from 1 to 65535 expected"},
    {"https://x:0", "port from 1 to 65535 expected"},
    {"https://x:65536", "port from 1 to 65535 expected"},
    {"https://x:999999", "port from 1 to 65535 expected"},
    {"https://x:8a", "only a host"},
    {"https://x?q", "only a host"},
    {"https://x#f", "only a host"},
    {"https://x/?q", "plain path expected"},
    {"https://x/a/../b", "plain path expected"},
    {"https://x/%2e%2e", "plain path expected"},
    {"https://x/a b", "plain path expected"},
    {"https://x y", "only a host"},
    {"https://x\\y", "only a host"},
    {"ftp://x", "URL with https:// expected"},
    {"api.connectly.ai", "URL with https:// expected"},
    {"", "URL with https:// expected"},
};

static void a_base_url_keeps_the_key_safe(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        const char *url = edge_copy(urls[i].url, strlen(urls[i].url) + 1);
        const char *fault = cly_base_url_fault(url);
        if ((fault == NULL) != (urls[i].fault == NULL) || (fault && strstr(fault, urls[i].fault) != fault))
            fail_msg("%s: %s", urls[i].url, fault ? fault : "no fault");
    }
    assert_true(cly_base_url_is_plain("http://localhost"));
    assert_false(cly_base_url_is_plain("https://localhost"));
}

/* What is no address is a name, and whoever answers for it would get the key. */
static void a_name_that_looks_like_loopback_is_none(void **state) {
    static const char *const names[] = {
        "http://127.0.0.256", "http://127.0.0.1234", "http://127.999.0.1:80", "http://127.0.0.01",
        "http://127.00.0.1",  "http://127..0.1",     "http://127.0.0.1.1",    "http://127.0.0.0000000000001",
        "http://127.0.0.",    "http://127.0.0.-1",   "http://localhos",       "http://localhost1",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) check_case(cly_base_url_fault(names[i]) != NULL, names[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(two_options_are_enough),
        TEST(all_options_are_read),
        TEST(the_environment_fills_what_is_not_given),
        TEST(an_empty_variable_is_none),
        TEST(a_line_break_of_the_environment_is_named),
        TEST(a_refusal_names_the_option),
        TEST(all_faults_are_found_at_once),
        TEST(options_are_a_table),
        TEST(a_text_has_a_ceiling),
        TEST(clear_may_come_twice),
        TEST(a_base_url_keeps_the_key_safe),
        TEST(a_name_that_looks_like_loopback_is_none),
    };
    return cmocka_run_group_tests_name("core/api/config", tests, NULL, NULL);
}
