#include "core/reply/response.h"

#include "core/json/json.h"
#include "core/base/redact.h"
#include "core/base/text.h"

/* The fields that are read. If two names belong to one text, the first that has a value is used. The
 * API's older pages use snake_case in places. */
static const struct {
    cly_reply_text text;
    const char *name;
} fields[] = {
    {CLY_TEXT_ID, "id"},
    {CLY_TEXT_MESSAGE, "message"},
    {CLY_TEXT_TYPE, "type"},
    {CLY_TEXT_CODE, "code"},
    {CLY_TEXT_USER_TITLE, "userTitle"},
    {CLY_TEXT_USER_TITLE, "user_title"},
    {CLY_TEXT_USER_MESSAGE, "userMessage"},
    {CLY_TEXT_USER_MESSAGE, "user_message"},
    {CLY_TEXT_TRACE_ID, "cntTraceId"},
    {CLY_TEXT_TRACE_ID, "cnt_trace_id"},
    {CLY_TEXT_DETAILS, "details"},
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

void cly_response_init(cly_response *response) {
    memset(response, 0, sizeof *response);
    /* Each byte of a reply is stored at most once; the rest is for terminating zero bytes. */
    cly_buffer_init(&response->text, 2 * (size_t)CLY_REPLY_MAX);
}

void cly_response_clear(cly_response *response) {
    cly_buffer_clear(&response->text);
    cly_response_init(response);
}

static void forget(cly_response *response) {
    static const cly_sendouts nothing = {0};
    cly_buffer_reset(&response->text);
    memset(response->offset, 0, sizeof response->offset);
    response->sendouts = nothing;
}

void cly_response_trim(cly_response *response) {
    cly_buffer_trim(&response->text);
    forget(response);
}

const char *cly_response_text(const cly_response *response, cly_reply_text text) {
    return response->offset[text] ? response->text.data + response->offset[text] - 1 : NULL;
}

/* ---- members of an object ---- */

static bool is_whole_number(const cly_json_value *value) {
    if (value->type != CLY_JSON_NUMBER) return false;
    for (size_t i = 0; i < value->length; i++)
        if (strchr(".eE", value->start[i])) return false;
    return true;
}

/* Returns false if the value has a type that is not used for this text. */
static bool append_value(cly_buffer *out, cly_reply_text text, const cly_json_value *value) {
    if (text == CLY_TEXT_DETAILS && value->type != CLY_JSON_NULL)
        cly_buffer_append(out, value->start, value->length);
    else if (value->type == CLY_JSON_STRING)
        cly_json_unescape(out, value);
    else if (text == CLY_TEXT_TRACE_ID && is_whole_number(value))
        cly_buffer_append(out, value->start, value->length);
    else
        return false;
    return true;
}

static void show_zero_bytes(char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0') text[i] = '?';
}

/* These texts appear in the one-line form of an error, which is logged, so a customer's number that was
 * echoed must not stay in them. No code of the API has ten digits in a row. */
static void hide_numbers(char *text, cly_reply_text which) {
    if (which == CLY_TEXT_CODE || which == CLY_TEXT_TYPE) cly_text_hide_numbers(text, 10);
    if (which == CLY_TEXT_TRACE_ID) cly_text_hide_numbers(text, 0);
}

/* Masks the text in place. Returns false if the result must not be kept. */
static bool make_fit(char *text, size_t length, cly_reply_text which, const char *secret) {
    bool is_short = which == CLY_TEXT_ID && secret && strlen(secret) < CLY_REDACTED_LEAST;
    bool is_masked = !is_short && cly_redact(text, text, length, length, secret);
    if (which == CLY_TEXT_ID && memchr(text, '\0', length)) return false;
    /* Masking may break an escape or remove a quote. */
    if (which == CLY_TEXT_DETAILS && is_masked && !cly_json_is_valid(text, length)) return false;
    show_zero_bytes(text, length);
    hide_numbers(text, which);
    return true;
}

/* The bytes from `start` on become the text, or are discarded. */
static void conclude(cly_response *response, cly_reply_text text, size_t start, const char *secret) {
    cly_buffer *out = &response->text;
    size_t length = out->length - start;
    cly_buffer_byte(out, '\0');
    if (out->state == CLY_BUFFER_FINE && make_fit(out->data + start, length, text, secret)) {
        response->offset[text] = start + 1;
        return;
    }
    if (out->state == CLY_BUFFER_NO_MEMORY) response->lacks_memory = true;
    out->state = CLY_BUFFER_FINE;
    out->length = start;
}

/* Reserves memory for all texts at once. If that fails, single texts may still fit. */
static void make_room(cly_response *response, const cly_json_member members[FIELD_COUNT]) {
    size_t needed = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (members[i].value.type != CLY_JSON_ABSENT) needed += members[i].value.length + 1;
    if (needed > 0 && cly_buffer_reserve(&response->text, needed) == NULL)
        response->text.state = CLY_BUFFER_FINE;
}

static void keep_members(cly_response *response, const cly_json_member members[FIELD_COUNT],
                         const char *secret) {
    make_room(response, members);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        cly_reply_text text = fields[i].text;
        size_t start = response->text.length;
        if (members[i].value.type == CLY_JSON_ABSENT || response->offset[text]) continue;
        if (append_value(&response->text, text, &members[i].value)) conclude(response, text, start, secret);
    }
}

/* ---- a body without known fields ---- */

static bool is_error_or_id(const cly_response *response) {
    for (int i = 0; i < CLY_TEXT_BODY; i++)
        if (response->offset[i]) return true;
    return false;
}

/* Masks before it cuts, so that no part of the key remains at the cut. */
static void keep_body(cly_response *response, const char *body, size_t length, const char *secret) {
    size_t start = response->text.length, shown = length < CLY_BODY_SHOWN ? length : CLY_BODY_SHOWN;
    char *place;
    if (length == 0) return;
    place = cly_buffer_reserve(&response->text, shown);
    if (place) {
        cly_redact(place, body, length, shown, secret);
        response->text.length += shown;
    }
    conclude(response, CLY_TEXT_BODY, start, NULL);
}

void cly_response_read(cly_response *response, const char *body, size_t length, const char *secret) {
    cly_json_member members[FIELD_COUNT];
    forget(response);
    response->lacks_memory = false;
    response->is_json = false;
    if (length == 0) return;
    for (size_t i = 0; i < FIELD_COUNT; i++) members[i].name = fields[i].name;
    response->is_json = cly_json_read(members, FIELD_COUNT, body, length);
    keep_members(response, members, secret);
    if (!is_error_or_id(response)) keep_body(response, body, length, secret);
}

void cly_response_read_sendouts(cly_response *response, const char *body, size_t length, const char *secret) {
    cly_json_value problem;
    size_t start;
    cly_response_read(response, body, length, secret);
    if (!response->is_json) return;
    forget(response);
    if (!cly_sendouts_read(&response->sendouts, &problem, body, length))
        keep_body(response, body, length, secret);
    start = response->text.length;
    if (problem.type != CLY_JSON_STRING) return;
    cly_json_unescape(&response->text, &problem);
    conclude(response, CLY_TEXT_USER_MESSAGE, start, secret);
}
