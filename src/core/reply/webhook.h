/*
 * webhook.h - verifies the signature of a webhook, and reads why its message was not delivered.
 *
 * The signature is the base64 (standard alphabet, padded) of the HMAC-SHA256 of the raw body under the
 * business's secret. The library computes its own and compares the two texts in constant time. So a
 * signature has only one valid spelling, and no untrusted input is decoded. Several secrets may be
 * valid at once, while one replaces another. API: webhooks, delivery mechanics.
 *
 *   cly_webhook_secret secrets[] = {{"old", 3}, {"new", 3}};
 *   if (cly_webhook_verify(secrets, 2, body, body_length, signature, signature_length)) ...
 *
 * The signature contains no time: anyone who has seen a webhook can replay it. The handler must detect
 * that.
 */
#ifndef CLY_CORE_REPLY_WEBHOOK_H
#define CLY_CORE_REPLY_WEBHOOK_H

#include "core/base/error.h"
#include "core/reply/response.h"

CLY_PRIVATE_BEGIN

enum { CLY_WEBHOOK_SECRETS_MAX = 16, CLY_WEBHOOK_SIGNATURE_SIZE = 44 };

/* The bytes are used as they are; borrowed. */
typedef struct cly_webhook_secret {
    const char *bytes;
    size_t length;
} cly_webhook_secret;

/* Writes the signature of a body, zero-terminated: the base64 of its HMAC-SHA256. Returns false if the
 * secret is empty or memory is short; `out` is then undefined. */
bool cly_webhook_sign(char out[CLY_WEBHOOK_SIGNATURE_SIZE + 1], const cly_webhook_secret *secret,
                      const char *body, size_t length) CLY_MUST_CHECK;

/* Returns true if the signature matches the body under one of the secrets. An empty secret never
 * matches. Without memory no signature matches. */
bool cly_webhook_verify(const cly_webhook_secret secrets[], size_t count, const char *body, size_t length,
                        const char *signature, size_t signature_length) CLY_MUST_CHECK;

/* Reads from a status webhook why a message was not delivered. Returns false if it reports no error.
 * `response` receives the texts, as for a reply of the API. */
bool cly_webhook_error(cly_error *error, cly_response *response, const char *body, size_t length);

CLY_PRIVATE_END

#endif
