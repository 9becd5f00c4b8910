#include "core/encode/encoder.h"

#include "core/encode/campaigns.h"
#include "core/encode/request_path.h"
#include "core/json/json.h"
#include "core/encode/session.h"
#include "core/encode/template.h"
#include "core/base/text.h"
#include "core/encode/field_encoders.h"
#include <stdio.h>

void cly_encoder_init(cly_encoder *encoder) {
    memset(encoder, 0, sizeof *encoder);
    cly_buffer_init(&encoder->body, CLY_BODY_MAX);
    cly_buffer_init(&encoder->path, CLY_PATH_MAX);
    cly_buffer_init(&encoder->slices, CLY_BODY_MAX);
    cly_buffer_init(&encoder->scratch, CLY_BODY_MAX);
    cly_problems_init(&encoder->problems);
}

void cly_encoder_clear(cly_encoder *encoder) {
    encoder->generation++; /* an encode under way must notice */
    cly_buffer_clear(&encoder->body);
    cly_buffer_clear(&encoder->path);
    cly_buffer_clear(&encoder->slices);
    cly_buffer_clear(&encoder->scratch);
    cly_problems_clear(&encoder->problems);
}

static void reset(cly_encoder *encoder, const cly_operation *operation) {
    cly_buffer_reset(&encoder->body);
    cly_buffer_reset(&encoder->path);
    cly_buffer_reset(&encoder->slices);
    cly_problems_reset(&encoder->problems);
    encoder->method = operation->method;
    encoder->batch = (cly_batch){0, 0};
    encoder->traceparent[0] = '\0';
}

static const char *known_method(const char *text, size_t length) {
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strlen(methods[i]) == length && memcmp(methods[i], text, length) == 0) return methods[i];
    return NULL;
}

/* Bytes that RFC 3986 allows in a path and a query, % included. */
static bool is_path_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~!$&'()*+,;=:@/?%", c) != NULL);
}

/* Returns the length of the separator at the beginning, or 0. Some servers decode an escaped separator
 * before they look at dot segments. */
static size_t separator(const char *text, size_t length) {
    if (*text == '/') return 1;
    return cly_starts_with(text, length, "%2f") || cly_starts_with(text, length, "%5c") ? 3 : 0;
}

static size_t skip_dots(const char *text, size_t length) {
    size_t at = 0;
    while (at < length && (text[at] == '.' || cly_starts_with(text + at, length - at, "%2e")))
        at += text[at] == '.' ? 1 : 3;
    return at;
}

/* Rejects dot segments, so that a path cannot leave the business. The text after a ; is a segment's
 * parameters, which some servers drop. */
static bool has_dot_segment(const char *text, size_t length) {
    for (size_t at = 0; at < length && text[at] != '?';) {
        size_t dots, end;
        at += separator(text + at, length - at);
        dots = skip_dots(text + at, length - at);
        end = at + dots;
        if (dots > 0 && (end == length || strchr("?;", text[end]) || separator(text + end, length - end)))
            return true;
        at = end;
        while (at < length && text[at] != '?' && separator(text + at, length - at) == 0) at++;
    }
    return false;
}

static void read_path(cly_reader *reader, cly_encoder *encoder, cly_value value) {
    cly_path at = cly_path_name(NULL, "path");
    size_t length;
    const char *text;
    bool is_fine;
    if (cly_reader_type(reader, value) != CLY_TYPE_TEXT) {
        cly_reader_expected(reader, &at, "string", value);
        return;
    }
    text = cly_value_text(value, &length);
    is_fine = length > 1 && text[0] == '/' && !has_dot_segment(text, length);
    for (size_t i = 0; i < length; i++) is_fine = is_fine && is_path_byte(text[i]);
    if (is_fine)
        cly_buffer_append(&encoder->path, text, length);
    else
        cly_problem_add(reader->problems, &at,
                        "path below the business expected, such as /send/messages, percent-encoded");
}

static void read_method(cly_reader *reader, cly_encoder *encoder, cly_value value) {
    cly_path at = cly_path_name(NULL, "method");
    size_t length = 0;
    const char *text = NULL;
    if (cly_reader_type(reader, value) == CLY_TYPE_TEXT) text = cly_value_text(value, &length);
    encoder->method = text ? known_method(text, length) : NULL;
    if (encoder->method == NULL)
        cly_problem_add(reader->problems, &at, "GET, POST, PUT, DELETE or PATCH expected");
}

/* A string is taken as JSON; any other value is encoded as JSON. */
static void write_body(cly_reader *reader, cly_encoder *encoder, const cly_slots *slots) {
    cly_value value = slots->values[CLY_AT(request, body)];
    cly_path at = cly_path_name(NULL, "body");
    size_t length;
    const char *text;
    if (encoder->method && strcmp(encoder->method, "GET") == 0)
        cly_problem_add(reader->problems, &at, "a GET has none");
    if (cly_reader_type(reader, value) != CLY_TYPE_TEXT) {
        cly_write_value(reader, &slots->shape->fields[CLY_AT(request, body)], value, &at);
        return;
    }
    text = cly_value_text(value, &length);
    if (!cly_json_is_valid(text, length)) cly_problem_add(reader->problems, &at, "not JSON");
    cly_buffer_append(reader->json.out, text, length);
}

static void write_request(cly_reader *reader, cly_encoder *encoder, const cly_slots *slots) {
    cly_path method = cly_path_name(NULL, "method"), path = cly_path_name(NULL, "path");
    if (slots->given[CLY_AT(request, method)])
        read_method(reader, encoder, slots->values[CLY_AT(request, method)]);
    else
        cly_problem_add(reader->problems, &method, "missing");
    if (slots->given[CLY_AT(request, path)])
        read_path(reader, encoder, slots->values[CLY_AT(request, path)]);
    else
        cly_problem_add(reader->problems, &path, "missing");
    if (slots->given[CLY_AT(request, body)]) write_body(reader, encoder, slots);
}

static void read_traceparent(cly_reader *reader, cly_encoder *encoder, const cly_slots *slots) {
    size_t at = slots->shape->count - 1, length = 0; /* the last field, if there is one */
    cly_path path;
    const char *text = NULL;
    if (slots->shape->fields[at].type != CLY_FIELD_TRACEPARENT || !slots->given[at]) return;
    path = cly_path_name(NULL, "traceparent");
    if (cly_reader_type(reader, slots->values[at]) == CLY_TYPE_TEXT)
        text = cly_value_text(slots->values[at], &length);
    if (text == NULL || !cly_is_traceparent(text, length)) {
        cly_problem_add(reader->problems, &path, "W3C traceparent expected, such as 00-<32 hex>-<16 hex>-01");
        return;
    }
    memcpy(encoder->traceparent, text, length);
    encoder->traceparent[length] = '\0';
}

static void write_body_of(cly_reader *reader, cly_encoder *encoder, const cly_operation *operation,
                          const char *default_sender, const cly_slots *slots) {
    cly_batch batch;
    if (operation->path) cly_write_path(reader, operation, slots, &encoder->path);
    switch (operation->id) {
    case CLY_OPERATION_SEND_TEMPLATE:
        cly_write_template(reader, slots, default_sender, &encoder->slices, &encoder->scratch);
        break;
    case CLY_OPERATION_SEND_SESSION: cly_write_session(reader, slots, default_sender); break;
    case CLY_OPERATION_SEND_CAMPAIGNS:
        batch = cly_write_campaigns(reader, slots, default_sender, &encoder->slices);
        if (!cly_reader_is_over(reader)) encoder->batch = batch;
        break;
    case CLY_OPERATION_REQUEST: write_request(reader, encoder, slots); break;
    default: cly_write_fields(reader, slots);
    }
}

static cly_kind conclude(cly_encoder *encoder, cly_error *error) {
    cly_kind kind = cly_problems_check(&encoder->problems, CLY_ARGUMENT, error);
    cly_buffer_terminate(&encoder->path);
    if (kind == CLY_OK) kind = cly_buffer_check(&encoder->body, "message", error);
    if (kind == CLY_OK) kind = cly_buffer_check(&encoder->path, "path", error);
    /* This buffer holds the spans with which campaigns.c finds duplicates. */
    if (kind == CLY_OK) kind = cly_buffer_check(&encoder->slices, "message", error);
    return kind;
}

cly_kind cly_encoder_repeat(cly_encoder *encoder, const cly_operation *operation, const char *body,
                            size_t length, cly_batch batch, const char *traceparent, cly_error *error) {
    encoder->generation++;
    reset(encoder, operation);
    if (*traceparent && !cly_is_traceparent(traceparent, strlen(traceparent)))
        cly_problem_add(&encoder->problems, NULL, "W3C traceparent expected");
    if (batch.entries < 1 || batch.sendouts < 1 || batch.sendouts > batch.entries)
        cly_problem_add(&encoder->problems, NULL, "entries and sendouts expected");
    cly_buffer_append(&encoder->body, body, length);
    cly_buffer_text(&encoder->path, operation->path);
    encoder->batch = batch;
    snprintf(encoder->traceparent, sizeof encoder->traceparent, "%s", traceparent);
    return conclude(encoder, error);
}

/* The problems belong to the other message, which has overwritten this one's. */
static cly_kind refuse_over(cly_encoder *encoder, cly_error *error) {
    cly_problems_reset(&encoder->problems);
    return cly_error_set(error, CLY_ARGUMENT, CLY_NOT_SENT,
                         "a metamethod of the message used the client while the message was read");
}

cly_kind cly_encoder_encode(cly_encoder *encoder, const cly_operation *operation, const char *default_sender,
                            const cly_source *source, cly_value value, cly_error *error) {
    cly_reader reader = {.source = source, .problems = &encoder->problems, .json.out = &encoder->body};
    int mark = source->mark(source->host);
    /* A metamethod may close the client, which frees default_sender, so copy it. */
    char sender[CLY_SENDER_SIZE];
    cly_slots slots;
    if (default_sender) snprintf(sender, sizeof sender, "%s", default_sender);
    reader.generation = &encoder->generation;
    reader.began = ++encoder->generation;
    reset(encoder, operation);
    if (value.type == CLY_TYPE_TABLE) {
        cly_collect(&reader, operation->shape, value, NULL, &slots);
        if (!cly_reader_is_over(&reader)) read_traceparent(&reader, encoder, &slots);
        if (!cly_reader_is_over(&reader))
            write_body_of(&reader, encoder, operation, default_sender ? sender : NULL, &slots);
    } else {
        cly_problem_add(&encoder->problems, NULL, "table of fields expected, got %s",
                        source->type_name(source->host, value));
    }
    source->release(source->host, mark);
    return cly_reader_is_over(&reader) ? refuse_over(encoder, error) : conclude(encoder, error);
}
