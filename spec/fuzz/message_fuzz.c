/* A message, as JSON, through the checks and the encoder: what comes out is JSON,
 * or an error that can be logged. */
#include "core/json/json.h"
#include "core/encode/encoder.h"
#include "core/base/text.h"
#include "spec/core/source_support.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/shape_support.h"

static cly_encoder encoder;

/* Our own example may stand in an error, nobody's number. */
static void check_words(const char *text) {
    size_t run = 0;
    EXPECT(*text && !cly_has_control(text, strlen(text)), "one line");
    EXPECT(cly_is_utf8(text, strlen(text)), "UTF-8");
    for (; *text && !strstr(text, "+14155550"); text++) {
        run = *text >= '0' && *text <= '9' ? run + 1 : 0;
        EXPECT(run < 7, "a number");
    }
}

static void check_problems(const cly_error *error) {
    EXPECT(error->kind == CLY_ARGUMENT && error->outcome == CLY_NOT_SENT, "the kind");
    EXPECT(encoder.problems.count > 0, "a problem");
    check_words(error->message);
    for (size_t i = 0; i < encoder.problems.count; i++) {
        const char *param = cly_problem_param(&encoder.problems, i);
        EXPECT(cly_is_utf8(param, strlen(param)), "a path");
        check_words(cly_problem_message(&encoder.problems, i));
    }
}

static void check_body(void) {
    const cly_buffer *body = &encoder.body;
    EXPECT(encoder.problems.count == 0, "no problem");
    EXPECT(body->length == 0 || cly_json_is_valid(body->data, body->length), "JSON");
    EXPECT(encoder.method && encoder.path.length > 0, "a request");
}

static void check(const json_t *message, const cly_operation *operation) {
    source_host host;
    cly_source source = source_make(&host);
    cly_error error;
    cly_error_clear(&error);
    if (cly_encoder_encode(&encoder, operation, "+14155550100", &source, source_value(message), &error) ==
        CLY_OK)
        check_body();
    else
        check_problems(&error);
    EXPECT(host.held == 0, "nothing is held any more");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *message = json_loadb(size ? (const char *)data : "", size, JSON_ALLOW_NUL, NULL);
    size_t count;
    const cly_operation *operations = cly_operations(&count);
    if (message == NULL) return -1;
    if (encoder.body.ceiling == 0) cly_encoder_init(&encoder);
    for (size_t i = 0; i < count; i++) check(message, &operations[i]);
    json_decref(message);
    return 0;
}

/* A message is a table whatever it holds: bytes that are no JSON say nothing here. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
    size_t changed = seed % 4 ? shape_change((char *)data, size, room, seed / 4) : 0;
    return changed ? changed : LLVMFuzzerMutate(data, size, room);
}
