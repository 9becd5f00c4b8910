/*
 * response.h - what a reply says: an id, or the fields of an error.
 *
 * A reply may be anything: the API's JSON, a proxy's HTML, nothing, half of
 * something. Whatever can be read of it is kept as text; what cannot is absent.
 * A text is zero-terminated, so a zero byte in one is shown as ?, and an id that
 * holds one is none: half an id would be a wrong one. API: errors, body shape.
 */
#ifndef CLY_CORE_REPLY_RESPONSE_H
#define CLY_CORE_REPLY_RESPONSE_H

#include "core/base/buffer.h"
#include "core/reply/sendouts.h"

CLY_PRIVATE_BEGIN

typedef enum cly_reply_text {
    CLY_TEXT_ID,
    CLY_TEXT_MESSAGE,
    CLY_TEXT_TYPE,
    CLY_TEXT_CODE,
    CLY_TEXT_USER_TITLE,
    CLY_TEXT_USER_MESSAGE,
    CLY_TEXT_TRACE_ID,
    CLY_TEXT_DETAILS, /* JSON, byte for byte as the reply had it */
    CLY_TEXT_BODY,    /* the body's start, when it held nothing of the above */
    CLY_TEXT_COUNT
} cly_reply_text;

enum {
    CLY_REPLY_MAX = 1024 * 1024, /* bytes of a reply's body */
    CLY_BODY_SHOWN = 512
};

typedef struct cly_response {
    cly_buffer text;               /* zero-terminated pieces */
    size_t offset[CLY_TEXT_COUNT]; /* where each begins, plus 1; 0 when absent */
    cly_sendouts sendouts;
    bool is_json;
    bool lacks_memory; /* something was not kept for lack of it */
} cly_response;

void cly_response_init(cly_response *response);
void cly_response_clear(cly_response *response);

/* Forgets what it holds, and gives much memory back. */
void cly_response_trim(cly_response *response);

/* Reads a body. Every spelling of `secret` in what is kept is masked: a gateway
 * may echo the key. So are telephone numbers in code, type and trace id. Never
 * fails: without memory it keeps less. */
void cly_response_read(cly_response *response, const char *body, size_t length, const char *secret);

/* The same of a reply about campaigns, which is about its sendouts: kept are their
 * counts and the first error's text, as the user message; of a reply that holds no
 * counts the body's start. */
void cly_response_read_sendouts(cly_response *response, const char *body, size_t length, const char *secret);

/* A piece, or NULL; borrowed until the next read or clear. */
const char *cly_response_text(const cly_response *response, cly_reply_text text);

CLY_PRIVATE_END

#endif
