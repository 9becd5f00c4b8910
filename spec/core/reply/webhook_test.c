#include "core/reply/webhook.h"

#include "core/json/json.h"
#include "spec/core/edge_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

/* API: webhooks, delivery mechanics, the test vector. */
#define SECRET "example-secret"
#define SIGNATURE "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="
static const char body[] =
    "{\"topic\":\"delivery_status\",\"timestamp\":\"1700000000\",\"statusUpdate\":{\"id\":"
    "\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"status\":\"read\",\"error\":null}}";
enum { LENGTH = sizeof body - 1, SIGNATURE_LENGTH = sizeof SIGNATURE - 1 };

static bool verify(const char *secret, const char *text, size_t length, const char *signature) {
    cly_webhook_secret only = {secret, strlen(secret)};
    return cly_webhook_verify(&only, 1, text, length, signature, strlen(signature));
}

/* ---- signatures ---- */

static void the_test_vector_verifies(void **state) {
    (void)state;
    assert_int_equal(LENGTH, 132);
    assert_true(verify(SECRET, body, LENGTH, SIGNATURE));
}

/* RFC 4231, cases 2 and 1; the digests written as base64. */
static void others_vectors_verify(void **state) {
    static const struct {
        const char *key, *data, *signature;
    } cases[] = {
        {"Jefe", "what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", "Hi There",
         "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c="},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_case(verify(cases[i].key, cases[i].data, strlen(cases[i].data), cases[i].signature),
                   cases[i].data);
}

static void each_bit_of_the_body_counts(void **state) {
    char changed[LENGTH];
    (void)state;
    for (size_t bit = 0; bit < LENGTH * 8; bit++) {
        memcpy(changed, body, LENGTH);
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        if (verify(SECRET, changed, LENGTH, SIGNATURE)) fail_msg("bit %zu of the body", bit);
    }
}

/* Also those that stand for no bit of the digest: the last digit has four values
 * that a lenient decoder takes for one. */
static void each_bit_of_the_signature_counts(void **state) {
    cly_webhook_secret secret = {SECRET, strlen(SECRET)};
    (void)state;
    for (size_t bit = 0; bit < (size_t)SIGNATURE_LENGTH * 8; bit++) {
        char changed[] = SIGNATURE;
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        if (cly_webhook_verify(&secret, 1, body, LENGTH, changed, SIGNATURE_LENGTH))
            fail_msg("bit %zu of the signature", bit);
    }
}

static void each_bit_of_the_secret_counts(void **state) {
    (void)state;
    for (size_t bit = 0; bit < strlen(SECRET) * 8; bit++) {
        char changed[] = SECRET;
        cly_webhook_secret secret = {changed, strlen(SECRET)};
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        if (cly_webhook_verify(&secret, 1, body, LENGTH, SIGNATURE, SIGNATURE_LENGTH))
            fail_msg("bit %zu of the secret", bit);
    }
}

static void other_lengths_are_refused(void **state) {
    cly_webhook_secret secret = {SECRET, strlen(SECRET)};
    char longer[SIGNATURE_LENGTH + 8] = SIGNATURE;
    (void)state;
    for (size_t length = 0; length < sizeof longer; length++) {
        const char *signature = edge_copy(longer, length);
        bool is_good = cly_webhook_verify(&secret, 1, body, LENGTH, signature, length);
        if (is_good != (length == SIGNATURE_LENGTH)) fail_msg("length %zu", length);
    }
    for (size_t length = 0; length < LENGTH; length++)
        if (verify(SECRET, body, length, SIGNATURE)) fail_msg("a body of %zu bytes", length);
    assert_false(verify(SECRET, body, LENGTH + 1, SIGNATURE));
}

static void other_spellings_are_refused(void **state) {
    static const struct {
        const char *description, *signature;
    } cases[] = {
        {"in hexadecimal", "2dd9b66e48925"},
        {"without its padding", "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU"},
        {"a blank before it", " Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU"},
        {"a line break for its padding", "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU\n"},
        {"bits beyond the digest", "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiV="},
        {"in capitals", "LDM2BKISUSRREKHEJPUGQCWCAM6RCUFPQ9DCNKPVPIU="},
        {"with its algorithm", "sha256=Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="},
        {"nothing", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_case(!verify(SECRET, body, LENGTH, cases[i].signature), cases[i].description);
}

static void any_of_several_secrets_will_do(void **state) {
    static const cly_webhook_secret secrets[] = {{"new", 3}, {SECRET, sizeof SECRET - 1}, {"older", 5}};
    (void)state;
    for (size_t first = 0; first < COUNT_OF(secrets); first++)
        for (size_t count = 0; count <= COUNT_OF(secrets) - first; count++)
            assert_int_equal(
                cly_webhook_verify(secrets + first, count, body, LENGTH, SIGNATURE, SIGNATURE_LENGTH),
                first <= 1 && first + count > 1);
}

/* HMAC knows an empty key; here it would let everybody in. */
static void an_empty_secret_makes_no_signature(void **state) {
    static const cly_webhook_secret secrets[] = {{"", 0}, {NULL, 0}};
    static const char signature[] = "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0=";
    (void)state;
    assert_false(cly_webhook_verify(secrets, 2, "", 0, signature, SIGNATURE_LENGTH));
}

static void a_zero_byte_is_no_end(void **state) {
    static const cly_webhook_secret secret = {"a\0b", 3};
    (void)state;
    assert_true(cly_webhook_verify(&secret, 1, "x\0y", 3,
                                   "4zMrT5ZZUexnMbTXOzvpGVm23/RZZTqS5+uo2H6FcOo=", SIGNATURE_LENGTH));
    assert_false(cly_webhook_verify(&secret, 1, "x\0z", 3,
                                    "4zMrT5ZZUexnMbTXOzvpGVm23/RZZTqS5+uo2H6FcOo=", SIGNATURE_LENGTH));
    assert_false(verify("a", "x\0y", 3, "4zMrT5ZZUexnMbTXOzvpGVm23/RZZTqS5+uo2H6FcOo="));
}

static void an_empty_body_has_a_signature(void **state) {
    (void)state;
    assert_true(verify(SECRET, NULL, 0, "OcA93X/9iIYjoqLUQ5z3IqXLonyh8ydTl1uN+gtG+ZE="));
    assert_true(verify(SECRET, edge_copy("", 0), 0, "OcA93X/9iIYjoqLUQ5z3IqXLonyh8ydTl1uN+gtG+ZE="));
}

static void a_huge_body_and_secret_are_taken(void **state) {
    enum { HUGE = 32 * 1024 * 1024 };
    char *text = malloc(HUGE);
    cly_webhook_secret secret = {text, 1024 * 1024};
    (void)state;
    assert_non_null(text);
    memset(text, 'x', HUGE);
    assert_true(verify(SECRET, text, HUGE, "taQL7t9rZ94c4wO7J8P+dAreH//H7Ttvy7bgBZM1vbU="));
    assert_true(cly_webhook_verify(&secret, 1, body, LENGTH,
                                   "a/aULDo7cHch6st3fX+iDGbqGy9GPfQSaOq+9nwFfwk=", SIGNATURE_LENGTH));
    text[HUGE / 2] = 'y';
    assert_false(verify(SECRET, text, HUGE, "taQL7t9rZ94c4wO7J8P+dAreH//H7Ttvy7bgBZM1vbU="));
    free(text);
}

/* ---- errors ---- */

typedef struct reading {
    cly_response response;
    cly_error error;
} reading;

static bool read_error(reading *read, const char *text) {
    size_t length = strlen(text);
    cly_response_init(&read->response);
    return cly_webhook_error(&read->error, &read->response, edge_copy(text, length), length);
}

#define UPDATE(error) "{\"statusUpdate\":{\"status\":\"delivery_failed\",\"error\":" error "}}"

static void the_error_of_a_delivery_is_read(void **state) {
    reading read;
    (void)state;
    assert_true(
        read_error(&read, UPDATE("{\"message\":\"no +14155550123\",\"type\":\"ERROR_TYPE_INVALID_REQUEST\","
                                 "\"code\":\"ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID\","
                                 "\"cntTraceId\":15555555555555555555}")));
    assert_int_equal(read.error.kind, CLY_REJECTED);
    assert_int_equal(read.error.outcome, CLY_REFUSED);
    assert_false(cly_error_is_retryable(&read.error));
    assert_string_equal(read.error.message, "no +#");
    assert_string_equal(read.error.hint, cly_code_hint("ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID", NULL));
    assert_string_equal(cly_response_text(&read.response, CLY_TEXT_TRACE_ID), "15555555555555555555");
    cly_response_clear(&read.response);
}

static void an_error_that_says_little_is_one(void **state) {
    static const char *const texts[] = {UPDATE("{\"message\":null}"),
                                        UPDATE("\"boom\""),
                                        UPDATE("[1]"),
                                        UPDATE("7"),
                                        "{\"status_update\":{\"error\":{\"x\":1}}}",
                                        "{\"statusUpdate\":null,\"status_update\":{\"error\":[1]}}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        reading read;
        check_case(read_error(&read, texts[i]), texts[i]);
        check_case_text(read.error.message, "the message was not delivered", texts[i]);
        check_case(read.error.hint != NULL, texts[i]);
        cly_response_clear(&read.response);
    }
}

static void without_an_error_there_is_none(void **state) {
    static const char *const texts[] = {UPDATE("null"),
                                        UPDATE("false"),
                                        UPDATE("{}"),
                                        UPDATE("{ \n}"),
                                        UPDATE("\"\""),
                                        "{\"statusUpdate\":{}}",
                                        "{\"statusUpdate\":null}",
                                        "{\"statusUpdate\":[]}",
                                        "{\"error\":{\"code\":\"x\"}}",
                                        "[]",
                                        "null",
                                        "",
                                        "{",
                                        "{\"statusUpdate\":{"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        reading read;
        check_case(!read_error(&read, texts[i]), texts[i]);
        check_case(read.error.kind == CLY_OK, texts[i]);
        cly_response_clear(&read.response);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_vector_verifies),
        cmocka_unit_test(others_vectors_verify),
        cmocka_unit_test(each_bit_of_the_body_counts),
        cmocka_unit_test(each_bit_of_the_signature_counts),
        cmocka_unit_test(each_bit_of_the_secret_counts),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(any_of_several_secrets_will_do),
        cmocka_unit_test(an_empty_secret_makes_no_signature),
        cmocka_unit_test(a_zero_byte_is_no_end),
        cmocka_unit_test(an_empty_body_has_a_signature),
        cmocka_unit_test(a_huge_body_and_secret_are_taken),
        cmocka_unit_test(the_error_of_a_delivery_is_read),
        cmocka_unit_test(an_error_that_says_little_is_one),
        cmocka_unit_test(without_an_error_there_is_none),
    };
    return cmocka_run_group_tests_name("core/reply/webhook", tests, NULL, NULL);
}
