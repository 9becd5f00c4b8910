/*
 * webhook.h - is a webhook from Connectly, and why was its message not delivered.
 *
 * The signature is the base64 (standard alphabet, padded) of the HMAC-SHA256 of
 * the raw body under the business's secret. Ours is computed and the two texts are
 * compared in constant time; so a signature has one spelling only, and nothing of
 * what a stranger sent is decoded. Several secrets may be good at once, while one
 * takes the place of another. API: webhooks, delivery mechanics.
 *
 *   cly_webhook_secret secrets[] = {{"old", 3}, {"new", 3}};
 *   if (cly_webhook_verify(secrets, 2, body, body_length, signature, signature_length)) ...
 *
 * Nothing in a signature says when it was made: whoever has seen a webhook can send
 * it again. That is for the one who handles it to notice.
 */
#ifndef CLY_CORE_REPLY_WEBHOOK_H
#define CLY_CORE_REPLY_WEBHOOK_H

#include "core/base/error.h"
#include "core/reply/response.h"

CLY_PRIVATE_BEGIN

enum { CLY_WEBHOOK_SECRETS_MAX = 16 };

/* Its bytes are used as they are; borrowed. */
typedef struct cly_webhook_secret {
    const char *bytes;
    size_t length;
} cly_webhook_secret;

/* True when the signature is the body's under one of the secrets. An empty secret
 * makes none. Without memory no signature is good. */
bool cly_webhook_verify(const cly_webhook_secret secrets[], size_t count, const char *body, size_t length,
                        const char *signature, size_t signature_length) CLY_MUST_CHECK;

/* Reads why a message was not delivered, if a status webhook says so: false when
 * it does not. `response` holds the texts, as of an API's reply. */
bool cly_webhook_error(cly_error *error, cly_response *response, const char *body, size_t length);

CLY_PRIVATE_END

#endif
