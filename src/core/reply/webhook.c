#include "core/reply/webhook.h"

#include "core/json/json.h"
#include "core/reply/outcome.h"
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { DIGEST_SIZE = 32, SIGNATURE_SIZE = CLY_WEBHOOK_SIGNATURE_SIZE };

bool cly_webhook_sign(char out[SIGNATURE_SIZE + 1], const cly_webhook_secret *secret, const char *body,
                      size_t length) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (secret->length == 0 || secret->length > INT_MAX) return false;
    if (HMAC(EVP_sha256(), secret->bytes, (int)secret->length, (const unsigned char *)body, length, digest,
             NULL) == NULL)
        return false;
    return EVP_EncodeBlock((unsigned char *)out, digest, DIGEST_SIZE) == SIGNATURE_SIZE;
}

/* The time it takes does not reveal which secret matched, if any. */
bool cly_webhook_verify(const cly_webhook_secret secrets[], size_t count, const char *body, size_t length,
                        const char *signature, size_t signature_length) {
    char ours[SIGNATURE_SIZE + 1];
    bool is_good = false;
    if (signature_length != SIGNATURE_SIZE) return false;
    for (size_t i = 0; i < count; i++) {
        bool is_made = cly_webhook_sign(ours, &secrets[i], length ? body : "", length);
        if (is_made && CRYPTO_memcmp(ours, signature, SIGNATURE_SIZE) == 0) is_good = true;
    }
    return is_good;
}

/* ---- the error of a delivery ---- */

static bool is_null(const cly_json_value *value) {
    return value->type == CLY_JSON_ABSENT || value->type == CLY_JSON_NULL;
}

/* Finds a member by either of its names, as webhook/event.lua does for the rest of the update. */
static bool find_member(cly_json_value *out, const char *name, const char *older, const char *text,
                        size_t length) {
    cly_json_member members[] = {{.name = name}, {.name = older}};
    cly_json_read(members, 2, text, length);
    *out = members[is_null(&members[0].value)].value;
    return !is_null(out);
}

/* True for false, "" and {}: an object without a quote has no member. */
static bool says_nothing(const cly_json_value *value) {
    if (value->type == CLY_JSON_FALSE) return true;
    if (value->type == CLY_JSON_STRING) return value->length == 2;
    return value->type == CLY_JSON_OBJECT && memchr(value->start, '"', value->length) == NULL;
}

bool cly_webhook_error(cly_error *error, cly_response *response, const char *body, size_t length) {
    cly_json_value update, found;
    cly_error_clear(error);
    if (!find_member(&update, "statusUpdate", "status_update", body, length)) return false;
    if (!find_member(&found, "error", "error", update.start, update.length)) return false;
    if (says_nothing(&found)) return false;
    cly_response_read(response, found.start, found.length, NULL);
    cly_outcome_delivery(response, error);
    return true;
}
