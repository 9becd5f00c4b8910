/*
 * response.h - parses a reply: an id, or the fields of an error.
 *
 * A reply may be anything: the API's JSON, a proxy's HTML, empty or truncated. All known fields that
 * can be read are kept as text; the others are absent. A text is zero-terminated, so a zero byte in it
 * is replaced by ?. An id that contains a zero byte counts as absent: a truncated id would be wrong.
 * API: errors, body shape.
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
    CLY_TEXT_DETAILS, /* JSON, byte for byte as received */
    CLY_TEXT_BODY,    /* the start of a body that contained none of the above */
    CLY_TEXT_COUNT
} cly_reply_text;

enum {
    CLY_REPLY_MAX = 1024 * 1024, /* bytes of a reply's body */
    CLY_BODY_SHOWN = 512
};

typedef struct cly_response {
    cly_buffer text;               /* zero-terminated texts */
    size_t offset[CLY_TEXT_COUNT]; /* offset of each text plus 1; 0 if absent */
    cly_sendouts sendouts;
    bool is_json;
    bool lacks_memory; /* something could not be stored for lack of memory */
} cly_response;

void cly_response_init(cly_response *response);
void cly_response_clear(cly_response *response);

/* Resets the response and frees large buffers. */
void cly_response_trim(cly_response *response);

/* Reads a body. In all texts that are kept, every spelling of `secret` is masked, because a gateway may
 * echo the key; in code, type and trace id, telephone numbers are masked too. It never fails: without
 * memory it keeps less. */
void cly_response_read(cly_response *response, const char *body, size_t length, const char *secret);

/* The same for a reply to send_campaigns. It keeps the counts of the sendouts and the text of the first
 * error, as the user message. If the reply contains no counts, it keeps the start of the body. */
void cly_response_read_sendouts(cly_response *response, const char *body, size_t length, const char *secret);

/* Returns a text, or NULL; borrowed until the next read or clear. */
const char *cly_response_text(const cly_response *response, cly_reply_text text);

CLY_PRIVATE_END

#endif
