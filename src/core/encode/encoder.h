/*
 * encoder.h - a user's table becomes the body of a request.
 *
 * The encoder belongs to a client and is used again for every message, so that
 * a message costs no allocation once the buffers have grown. A host may leave
 * in the middle (source.h): the next encode simply begins anew.
 */
#ifndef CLY_CORE_ENCODE_ENCODER_H
#define CLY_CORE_ENCODE_ENCODER_H

#include "core/api/operation.h"
#include "core/api/problems.h"
#include "core/reply/sendouts.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

enum {
    /* Bytes of one request's body. For more over HTTP/1.1 libcurl would send `Expect`, and
     * wait up to a second for 100 Continue. */
    CLY_BODY_MAX = 1024 * 1024,
    CLY_PATH_MAX = 4096,
    CLY_TRACEPARENT_SIZE = 64,
    CLY_SENDER_SIZE = 32 /* E.164 is shorter */
};

typedef struct cly_encoder {
    cly_buffer body;                        /* the JSON, exactly as it goes; empty when there is none */
    cly_buffer path;                        /* behind the business, zero-terminated */
    const char *method;                     /* static */
    cly_batch batch;                        /* of campaigns, else zero */
    char traceparent[CLY_TRACEPARENT_SIZE]; /* W3C Trace Context, or "" */
    cly_problems problems;
    cly_buffer slices, scratch; /* for the parameters of a template */
    unsigned generation;        /* counts encodes, to notice one inside another */
} cly_encoder;

void cly_encoder_init(cly_encoder *encoder);
void cly_encoder_clear(cly_encoder *encoder);

/* Fills body, path, method and batch from the table `value`. All faults are found in
 * one pass and stand in `problems`; the error is the first. `default_sender` is
 * E.164 or NULL. */
cly_kind cly_encoder_encode(cly_encoder *encoder, const cly_operation *operation, const char *default_sender,
                            const cly_source *source, cly_value value, cly_error *error) CLY_MUST_CHECK;

/* The same with a body that was written before, as it then was: `operation` has no
 * arguments in its path. `traceparent` is valid, or "". */
cly_kind cly_encoder_repeat(cly_encoder *encoder, const cly_operation *operation, const char *body,
                            size_t length, cly_batch batch, const char *traceparent,
                            cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
