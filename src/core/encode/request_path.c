#include "core/encode/request_path.h"

#include "core/base/text.h"
#include "core/encode/field_encoders.h"

/* A segment that consists only of dots would leave the business's path, however it is encoded. */
static bool is_dots(const char *text, size_t length) {
    return length <= 2 && strspn(text, ".") >= length;
}

static void write_argument(cly_reader *reader, const cly_slots *slots, size_t at, cly_buffer *path) {
    const cly_field *field = &slots->shape->fields[at];
    cly_path inner = cly_path_text(NULL, field->name, field->name_length);
    char digits[CLY_NUMBER_SIZE];
    const char *text;
    size_t length;
    if (!slots->given[at]) {
        cly_problem_add(reader->problems, &inner, "missing");
    } else if (cly_read_text(reader, slots->values[at], &inner, digits, &text, &length)) {
        if (length == 0)
            cly_problem_add(reader->problems, &inner, "must not be empty");
        else if ((field->flags & CLY_IN_PATH) && is_dots(text, length))
            cly_problem_add(reader->problems, &inner, "an identifier expected, got dots");
        cly_percent_encode(path, text, length);
    }
}

static size_t field_of(const cly_shape *shape, const char *name, size_t length) {
    size_t at = 0;
    while (at + 1 < shape->count &&
           (shape->fields[at].name_length != length || memcmp(shape->fields[at].name, name, length) != 0))
        at++;
    return at;
}

static void write_query(cly_reader *reader, const cly_slots *slots, cly_buffer *path) {
    char mark = '?';
    for (size_t at = 0; at < slots->shape->count; at++) {
        const cly_field *field = &slots->shape->fields[at];
        if (!(field->flags & CLY_IN_QUERY) || (!slots->given[at] && !(field->flags & CLY_REQUIRED))) continue;
        cly_buffer_byte(path, mark);
        cly_buffer_append(path, field->wire, field->wire_length);
        cly_buffer_byte(path, '=');
        write_argument(reader, slots, at, path);
        mark = '&';
    }
}

void cly_write_path(cly_reader *reader, const cly_operation *operation, const cly_slots *slots,
                    cly_buffer *path) {
    const char *at = operation->path, *open;
    while ((open = strchr(at, '{')) != NULL) {
        const char *close = strchr(open, '}');
        cly_buffer_append(path, at, (size_t)(open - at));
        write_argument(reader, slots, field_of(slots->shape, open + 1, (size_t)(close - open - 1)), path);
        at = close + 1;
    }
    cly_buffer_text(path, at);
    write_query(reader, slots, path);
}

static bool is_in_body(const cly_field *field) {
    return !(field->flags & (CLY_IN_PATH | CLY_IN_QUERY)) && field->type != CLY_FIELD_TRACEPARENT;
}

void cly_write_fields(cly_reader *reader, const cly_slots *slots) {
    bool has_body = false;
    for (size_t at = 0; at < slots->shape->count; at++) {
        if (!is_in_body(&slots->shape->fields[at])) continue;
        if (!has_body) cly_json_open(&reader->json, '{');
        has_body = true;
        cly_write_field(reader, slots, at, NULL);
    }
    if (has_body) cly_json_close(&reader->json, '}');
}
