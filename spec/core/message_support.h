/*
 * message_support.h - one encoder, and messages for it as JSON.
 *
 * In the JSON of the tests a ' stands for a ", so that C can be read.
 */
#ifndef CLY_SPEC_CORE_MESSAGE_SUPPORT_H
#define CLY_SPEC_CORE_MESSAGE_SUPPORT_H

#include "core/encode/encoder.h"
#include "spec/core/source_support.h"

typedef struct message_stage {
    cly_encoder encoder;
    cly_error error;
    source_host host;
    cly_source source;
    const char *sender; /* of the client, or NULL */
} message_stage;

void message_begin(message_stage *stage);
void message_end(message_stage *stage);

/* Encodes; afterwards the body is zero-terminated and the error is set. */
cly_kind message_encode(message_stage *stage, const char *operation, const json_t *message);

/* The same with the message as text. */
cly_kind message_encode_text(message_stage *stage, const char *operation, const char *quoted);

/* The body, "" when there is none. */
const char *message_body(message_stage *stage);

/* The JSON that a text with ' for " says. Yours to json_decref. */
json_t *message_parse(const char *quoted);

/* The message of the problem at a path, or NULL when there is none. */
const char *message_problem(const message_stage *stage, const char *param);

#endif
