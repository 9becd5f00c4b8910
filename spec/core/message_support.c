#include "spec/core/message_support.h"

#include "spec/core/test.h"
#include <string.h>

void message_begin(message_stage *stage) {
    memset(stage, 0, sizeof *stage);
    cly_encoder_init(&stage->encoder);
    stage->source = source_make(&stage->host);
}

void message_end(message_stage *stage) {
    cly_encoder_clear(&stage->encoder);
}

cly_kind message_encode(message_stage *stage, const char *operation, const json_t *message) {
    const cly_operation *found = cly_operation_find(operation, strlen(operation));
    int held = stage->host.held;
    cly_kind kind;
    assert_non_null(found);
    cly_error_clear(&stage->error);
    kind = cly_encoder_encode(&stage->encoder, found, stage->sender, &stage->source, source_value(message),
                              &stage->error);
    assert_int_equal(kind, stage->error.kind);
    assert_int_equal(stage->host.held, held);
    return kind;
}

cly_kind message_encode_text(message_stage *stage, const char *operation, const char *quoted) {
    json_t *message = message_parse(quoted);
    cly_kind kind = message_encode(stage, operation, message);
    json_decref(message);
    return kind;
}

const char *message_body(message_stage *stage) {
    return cly_buffer_terminate(&stage->encoder.body) ? stage->encoder.body.data : "";
}

json_t *message_parse(const char *quoted) {
    char text[8192];
    assert_true(strlen(quoted) < sizeof text);
    strcpy(text, quoted);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    return source_parse(text);
}

const char *message_problem(const message_stage *stage, const char *param) {
    const cly_problems *problems = &stage->encoder.problems;
    for (size_t i = 0; i < problems->count; i++)
        if (strcmp(cly_problem_param(problems, i), param) == 0) return cly_problem_message(problems, i);
    return NULL;
}
