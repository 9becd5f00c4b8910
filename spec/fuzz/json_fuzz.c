/* Whether a text is JSON, what its strings say, and its long numbers, as jansson
 * sees them. */
#include "core/json/json.h"
#include "core/base/text.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/jansson_support.h"

static void check_string(const cly_json_value *ours, const json_t *theirs) {
    cly_buffer out;
    cly_buffer_init(&out, CLY_BUFFER_KEEP + ours->length);
    cly_json_unescape(&out, ours);
    EXPECT(json_is_string(theirs), "a string");
    EXPECT(out.length == json_string_length(theirs), "its length");
    EXPECT(out.length == 0 || memcmp(out.data, json_string_value(theirs), out.length) == 0, "its text");
    EXPECT(cly_is_utf8(out.length ? out.data : "", out.length), "its bytes");
    cly_buffer_clear(&out);
}

static void check_members(const char *text, size_t length, const json_t *root) {
    static const char *const names[] = {"id", "message", "", "details"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cly_json_member member = {.name = names[i]};
        const json_t *theirs = json_object_get(root, names[i]);
        if (!cly_json_read(&member, 1, text, length)) continue; /* it stands there twice */
        EXPECT((member.value.type == CLY_JSON_ABSENT) == (theirs == NULL), names[i]);
        if (theirs == NULL) continue;
        EXPECT(cly_json_is_valid(member.value.start, member.value.length), names[i]);
        if (member.value.type == CLY_JSON_STRING) check_string(&member.value, theirs);
    }
}

/* What is quoted is JSON as long as the text was, and nothing is left to quote. */
static void check_long_numbers(const char *text, size_t length) {
    size_t needed = cly_json_quote_long(NULL, text, length);
    char *exact = malloc(needed);
    EXPECT(exact != NULL && needed >= length, "room");
    EXPECT(cly_json_quote_long(exact, text, length) == needed, "the same twice");
    EXPECT(cly_json_is_valid(exact, needed), "quoted");
    EXPECT(cly_json_quote_long(NULL, exact, needed) == needed, "nothing left");
    free(exact);
}

/* A compact text is JSON, no longer than before, and compacting it again changes nothing. */
static void check_compact(const char *text, size_t length) {
    char *compact = malloc(length), *again = malloc(length);
    size_t left = cly_json_compact(compact, text, length);
    EXPECT(left <= length && cly_json_is_valid(compact, left), "compact");
    EXPECT(cly_json_compact(again, compact, left) == left && memcmp(compact, again, left) == 0,
           "the same again");
    free(compact);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    bool is_ours = cly_json_is_valid(text, size), may_differ = false;
    json_t *root = size ? jansson_read(text, size, 0, &may_differ) : NULL;
    EXPECT(may_differ || is_ours == (root != NULL), "valid");
    if (is_ours) check_long_numbers(text, size);
    if (is_ours) check_compact(text, size);
    if (is_ours && root) check_members(text, size, root);
    json_decref(root);
    return 0;
}
