/* Core judges a base_url by itself, in the same way for every libcurl; libcurl then parses it once more.
 * Here both must see the same host: otherwise the key could go to a host that core has not judged. */
#include "core/api/config.h"

#include "spec/core/test.h"
#include <curl/curl.h>
#include <strings.h>

static const char *const accepted[] = {
    "https://api.connectly.ai",  "https://localhost:8443/proxy/connectly",
    "https://[2001:db8::1]:443", "http://localhost:1/x",
    "http://127.0.0.1:65535",    "http://127.8.9.10",
    "http://[::1]:80",           "http://LocalHost:80",
    "https://x:00443",           "https://a-b_c.example/~d/e",
    "HTTPS://API.CONNECTLY.AI/",
};

static bool part_is_absent(CURLU *parsed, CURLUPart part) {
    char *text = NULL;
    bool is_absent = curl_url_get(parsed, part, &text, 0) != CURLUE_OK;
    curl_free(text);
    return is_absent;
}

/* libcurl rewrites IP addresses, 0177.1 to 127.0.0.1 for example. */
static bool is_address(const char *host) {
    return host[0] == '[' || strspn(host, "0123456789.") == strlen(host);
}

static bool host_is_as_judged(CURLU *parsed, const char *url) {
    const char *given = strstr(url, "://") + 3;
    char *host = NULL;
    bool is_judged;
    if (curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK) return false;
    is_judged = !cly_base_url_is_plain(url) || cly_is_loopback(host, strlen(host));
    if (!is_address(host)) is_judged = is_judged && strncasecmp(given, host, strlen(host)) == 0;
    curl_free(host);
    return is_judged;
}

/* libcurl may refuse what core accepts: then nothing is sent. */
static void check_url(const char *url) {
    CURLU *parsed = curl_url();
    assert_non_null(parsed);
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK) {
        check_case(host_is_as_judged(parsed, url), url);
        check_case(part_is_absent(parsed, CURLUPART_USER), url);
        check_case(part_is_absent(parsed, CURLUPART_QUERY), url);
        check_case(part_is_absent(parsed, CURLUPART_FRAGMENT), url);
    }
    curl_url_cleanup(parsed);
}

static void libcurl_parses_the_accepted_urls(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        CURLU *parsed = curl_url();
        check_case(cly_base_url_fault(accepted[i]) == NULL, accepted[i]);
        check_case(curl_url_set(parsed, CURLUPART_URL, accepted[i], 0) == CURLUE_OK, accepted[i]);
        curl_url_cleanup(parsed);
        check_url(accepted[i]);
    }
}

static uint32_t seed = 20261201;

static uint32_t next_random(uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* Replaces, inserts or removes one byte. `text` has room for one more. */
static void change_a_byte(char *text) {
    static const char bytes[] = "@:/\\[]%.#? 0127azAZ-_~;&\t\x7f\xC3";
    size_t length = strlen(text), at = next_random((uint32_t)length);
    char byte = bytes[next_random(sizeof bytes - 1)];
    switch (next_random(3)) {
    case 0: text[at] = byte; break;
    case 1: memmove(text + at, text + at + 1, length - at); break;
    default: memmove(text + at + 1, text + at, length - at + 1), text[at] = byte;
    }
}

static void libcurl_sees_the_host_that_core_has_judged(void **state) {
    int judged = 0;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char url[64];
        snprintf(url, sizeof url - 4, "%s", accepted[next_random(COUNT_OF(accepted))]);
        for (uint32_t changes = 1 + next_random(3); changes > 0; changes--) change_a_byte(url);
        if (cly_base_url_fault(url)) continue;
        judged++;
        check_url(url);
    }
    assert_true(judged > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libcurl_parses_the_accepted_urls),
        cmocka_unit_test(libcurl_sees_the_host_that_core_has_judged),
    };
    return cmocka_run_group_tests_name("io/curl/base_url", tests, NULL, NULL);
}
