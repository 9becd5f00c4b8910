#include "core/response.h"

#include "core/json.h"
#include "core/json_writer.h"
#include "core/text.h"
#include <stdio.h>
#include <stdlib.h>

/* The API's older pages write snake_case in places. */
static const struct {
    cly_reply_text text;
    const char *name, *other_name;
} fields[] = {
    {CLY_TEXT_ID, "id", NULL},
    {CLY_TEXT_MESSAGE, "message", NULL},
    {CLY_TEXT_TYPE, "type", NULL},
    {CLY_TEXT_CODE, "code", NULL},
    {CLY_TEXT_USER_TITLE, "userTitle", "user_title"},
    {CLY_TEXT_USER_MESSAGE, "userMessage", "user_message"},
    {CLY_TEXT_TRACE_ID, "cntTraceId", "cnt_trace_id"},
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

void cly_response_init(cly_response *response) {
    memset(response, 0, sizeof *response);
    /* Each byte of a reply may be kept once as it is and once as details,
     * where an escape can make six bytes of one. */
    cly_buffer_init(&response->text, 8 * (size_t)CLY_REPLY_MAX);
}

void cly_response_clear(cly_response *response) {
    cly_buffer_clear(&response->text);
    cly_response_init(response);
}

const char *cly_response_text(const cly_response *response, cly_reply_text text) {
    return response->offset[text] ? response->text.data + response->offset[text] - 1 : NULL;
}

static void keep(cly_response *response, cly_reply_text text, const char *bytes, size_t length,
                 const char *secret) {
    size_t start = response->text.length;
    cly_buffer_append(&response->text, bytes, length);
    cly_buffer_byte(&response->text, '\0');
    if (response->text.state != CLY_BUFFER_FINE) {
        cly_buffer_state state = response->text.state;
        response->text.length = start;
        response->text.state = state == CLY_BUFFER_FULL ? CLY_BUFFER_FINE : state;
        return;
    }
    cly_mask(response->text.data + start, length, secret);
    response->offset[text] = start + 1;
}

static void keep_value(cly_response *response, cly_reply_text text, const json_t *value, const char *secret) {
    char digits[24];
    if (json_is_string(value)) {
        keep(response, text, json_string_value(value), json_string_length(value), secret);
    } else if (json_is_integer(value) && text == CLY_TEXT_TRACE_ID) {
        int length = snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        keep(response, text, digits, (size_t)length, secret);
    }
}

/* The secret as it looks inside a JSON string. */
static void keep_details(cly_response *response, const json_t *details, const char *secret) {
    char *text = json_dumps(details, JSON_COMPACT | JSON_ENCODE_ANY);
    cly_buffer escaped;
    cly_json_writer json = {&escaped, false};
    if (text == NULL) return;
    cly_buffer_init(&escaped, 64 * 1024);
    if (secret && *secret) cly_json_text(&json, secret, strlen(secret));
    cly_buffer_terminate(&escaped);
    if (escaped.length > 2 && escaped.state == CLY_BUFFER_FINE) {
        escaped.data[escaped.length - 1] = '\0'; /* the closing quote */
        cly_mask(text, strlen(text), escaped.data + 1);
    }
    keep(response, CLY_TEXT_DETAILS, text, strlen(text), secret);
    cly_buffer_clear(&escaped);
    free(text);
}

static void keep_fields(cly_response *response, const json_t *root, const char *secret) {
    const json_t *details = json_object_get(root, "details");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const json_t *value = json_object_get(root, fields[i].name);
        if ((value == NULL || json_is_null(value)) && fields[i].other_name)
            value = json_object_get(root, fields[i].other_name);
        keep_value(response, fields[i].text, value, secret);
    }
    if (details && !json_is_null(details)) keep_details(response, details, secret);
}

static bool is_error_or_id(const cly_response *response) {
    for (int i = 0; i < CLY_TEXT_BODY; i++)
        if (response->offset[i]) return true;
    return false;
}

/* Masked before it is cut, so that no half of a key stays at the cut. */
static void keep_body(cly_response *response, const char *body, size_t length, const char *secret) {
    size_t secret_length = secret ? strlen(secret) : 0;
    size_t wanted = length < CLY_BODY_SHOWN ? length : CLY_BODY_SHOWN;
    size_t copied = length - wanted < secret_length ? length : wanted + secret_length;
    char *start;
    if (length == 0) return;
    keep(response, CLY_TEXT_BODY, body, copied, secret);
    if (response->offset[CLY_TEXT_BODY] == 0) return;
    start = response->text.data + response->offset[CLY_TEXT_BODY] - 1;
    for (size_t i = 0; i < wanted; i++)
        if (start[i] == '\0') start[i] = '?';
    start[wanted] = '\0';
}

void cly_response_read(cly_response *response, const char *body, size_t length, const char *secret) {
    json_t *root = cly_json_load(body, length);
    cly_buffer_reset(&response->text);
    memset(response->offset, 0, sizeof response->offset);
    response->is_json = root != NULL;
    if (json_is_object(root)) keep_fields(response, root, secret);
    json_decref(root);
    if (!is_error_or_id(response)) keep_body(response, body, length, secret);
}
