/*
 * encoder.h - encodes a user's table as the body of a request.
 *
 * The encoder belongs to a client and is reused for each message, so that a message allocates nothing
 * once the buffers have grown. A host may leave in the middle (core/base/source.h); the next encode
 * starts afresh.
 */
#ifndef CLY_CORE_ENCODE_ENCODER_H
#define CLY_CORE_ENCODE_ENCODER_H

#include "core/api/operation.h"
#include "core/api/problems.h"
#include "core/reply/sendouts.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

enum {
    /* Bytes of a request's body. With a larger body over HTTP/1.1, libcurl would send `Expect` and wait
     * up to a second for 100 Continue. */
    CLY_BODY_MAX = 1024 * 1024,
    CLY_PATH_MAX = 4096,
    CLY_TRACEPARENT_SIZE = 64,
    CLY_SENDER_SIZE = 32 /* E.164 is shorter */
};

typedef struct cly_encoder {
    cly_buffer body;                        /* the JSON as it is sent; empty if there is none */
    cly_buffer path;                        /* appended to the business's URL; zero-terminated */
    const char *method;                     /* static */
    cly_batch batch;                        /* of send_campaigns, else zero */
    char traceparent[CLY_TRACEPARENT_SIZE]; /* W3C Trace Context, or "" */
    cly_problems problems;
    cly_buffer slices, scratch; /* for the parameters of a template */
    unsigned generation;        /* counts encodes, to detect nested ones */
} cly_encoder;

void cly_encoder_init(cly_encoder *encoder);
void cly_encoder_clear(cly_encoder *encoder);

/* Sets body, path, method and batch from the table `value`. One pass finds all problems and stores them
 * in `problems`; the error is the first one. `default_sender` is E.164 or NULL. */
cly_kind cly_encoder_encode(cly_encoder *encoder, const cly_operation *operation, const char *default_sender,
                            const cly_source *source, cly_value value, cly_error *error) CLY_MUST_CHECK;

/* The same with a body that an earlier encode wrote. The path of `operation` must have no arguments.
 * `traceparent` must be valid or "". */
cly_kind cly_encoder_repeat(cly_encoder *encoder, const cly_operation *operation, const char *body,
                            size_t length, cly_batch batch, const char *traceparent,
                            cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
