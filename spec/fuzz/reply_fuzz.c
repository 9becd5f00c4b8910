/* A reply's body: what is kept of it, what is not, and what follows from it. The
 * input is the body. */
#include "core/json/json.h"
#include "core/reply/response.h"
#include "core/base/text.h"
#include "core/reply/outcome.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/jansson_support.h"
#include "spec/fuzz/spelling_support.h"
#include <limits.h>

enum { SPELLING_MAX = 4096 };

/* Without ? and #, which stand for what is hidden. */
static const char *const secrets[] = {"s3/cret+key", "k\"e\\y-01234567", "cl\xc3\xa9-\xf0\x9f\x98\x80/secret",
                                      "cly_live_Zx81+/=="};

enum { SECRET_COUNT = sizeof secrets / sizeof secrets[0] };

/* ---- one text ---- */

static size_t digits_in_a_row(const char *text) {
    size_t most = 0, run = 0;
    for (; *text; text++) {
        run = *text >= '0' && *text <= '9' ? run + 1 : 0;
        if (run > most) most = run;
    }
    return most;
}

static void check_text(const cly_response *response, cly_reply_text which, const char *secret) {
    const char *text = cly_response_text(response, which);
    size_t room = response->text.length - (response->offset[which] - 1);
    EXPECT(response->offset[which] - 1 < response->text.length, "a place");
    EXPECT(memchr(text, '\0', room) != NULL, "a zero byte at its end");
    EXPECT(which == CLY_TEXT_BODY || cly_is_utf8(text, strlen(text)), "UTF-8");
    EXPECT(which != CLY_TEXT_BODY || strlen(text) <= CLY_BODY_SHOWN, "the start of a body");
    EXPECT(which != CLY_TEXT_DETAILS || cly_json_is_valid(text, strlen(text)), "details");
    EXPECT((which != CLY_TEXT_CODE && which != CLY_TEXT_TYPE) || digits_in_a_row(text) < 10, "a number");
    EXPECT(secret == NULL || !spelling_is_in(text, strlen(text), secret), "the secret");
}

static void check_texts(const cly_response *response, size_t size, const char *secret) {
    int count = 0;
    for (int which = 0; which < CLY_TEXT_COUNT; which++) {
        if (cly_response_text(response, (cly_reply_text)which) == NULL) continue;
        check_text(response, (cly_reply_text)which, secret);
        count++;
    }
    EXPECT(!response->lacks_memory, "memory");
    EXPECT((count == 0) == (size == 0), "something is kept of every body");
    EXPECT(count <= 1 || cly_response_text(response, CLY_TEXT_BODY) == NULL, "the body is for want of else");
}

/* ---- against jansson ---- */

/* A zero byte is shown as ?, and an id that holds one is none. */
static void check_same(const char *ours, const json_t *theirs, bool is_id) {
    const char *text = json_string_value(theirs);
    size_t length = json_string_length(theirs);
    if (text == NULL || (is_id && memchr(text, '\0', length))) {
        EXPECT(ours == NULL, "no string");
        return;
    }
    EXPECT(ours != NULL && strlen(ours) == length, "a string");
    for (size_t i = 0; i < length; i++) EXPECT(ours[i] == (text[i] ? text[i] : '?'), "its text");
}

static void compare(const cly_response *response, const char *body, size_t size) {
    bool may_differ;
    json_t *root = jansson_read(body, size, JSON_REJECT_DUPLICATES, &may_differ);
    if (root && !may_differ) {
        EXPECT(response->is_json, "JSON");
        check_same(cly_response_text(response, CLY_TEXT_ID), json_object_get(root, "id"), true);
        check_same(cly_response_text(response, CLY_TEXT_MESSAGE), json_object_get(root, "message"), false);
    }
    json_decref(root);
}

/* ---- what follows ---- */

static void check_error(const cly_report *report, const cly_error *error, const char *secret) {
    bool is_silent = report->status == 0;
    EXPECT(error->kind > CLY_OK && error->kind < CLY_KIND_COUNT, "a kind");
    EXPECT(error->message[0] && memchr(error->message, '\0', sizeof error->message), "a message");
    EXPECT(!cly_has_control(error->message, strlen(error->message)), "one line");
    EXPECT(cly_is_utf8(error->message, strlen(error->message)), "UTF-8");
    EXPECT(digits_in_a_row(error->message) < 7 || report->end == CLY_END_TOO_BIG, "a number");
    EXPECT(secret == NULL || !spelling_is_in(error->message, strlen(error->message), secret), "the secret");
    /* Else a message would be sent twice, or given up for lost. */
    EXPECT(error->outcome != CLY_NOT_SENT || report->status == 429 || (is_silent && !report->bytes_left),
           "not sent");
    EXPECT(error->outcome != CLY_REFUSED || (report->status >= 300 && report->status < 500), "refused");
}

static void judge(const cly_report *report, const cly_response *response, const char *secret) {
    static const cly_operation with_id = {.reply = CLY_REPLY_ID}, with_body = {.reply = CLY_REPLY_BODY};
    const char *id = cly_response_text(response, CLY_TEXT_ID);
    const cly_operation *operations[] = {&with_id, &with_body};
    for (size_t i = 0; i < 2; i++) {
        cly_error error;
        cly_error_clear(&error);
        if (cly_outcome_judge(report, operations[i], (cly_batch){0, 0}, response, &error) != CLY_OK) {
            check_error(report, &error, i == 0 ? secret : NULL);
            continue;
        }
        EXPECT(report->status >= 200 && report->status < 300 && report->end == CLY_END_REPLY, "a success");
        EXPECT(i == 1 || (response->is_json && id && *id), "a success has an id");
        EXPECT(i == 0 || response->is_json || report->length == 0, "a success has a body that can be read");
    }
}

static void check_verdicts(const cly_response *response, const char *body, size_t size, const char *secret) {
    static const int statuses[] = {0, 200, 204, 302, 400, 401, 404, 429, 500, 700};
    static const cly_end ends[] = {CLY_END_LOST, CLY_END_TIMEOUT, CLY_END_TOO_BIG, CLY_END_CANCELED};
    cly_report report = {CLY_END_REPLY, true, 0, -1, NULL, body, size};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        bool has_own_words = statuses[i] == 400 || statuses[i] == 500;
        report.status = statuses[i];
        judge(&report, response, has_own_words ? secret : NULL);
    }
    report.end = ends[fuzz_hash(body, size) % 4];
    report.status = 200;
    judge(&report, response, secret);
}

/* ---- campaigns ---- */

/* Adds up what jansson reads; false where it is no count for us, or none to it. */
static bool add_count(uint64_t *sum, bool *is_said, const json_t *value) {
    const char *digits = json_string_value(value);
    if (value == NULL || json_is_null(value)) return true;
    *is_said = true;
    if (json_is_real(value)) return false; /* which notations are a count is not its to say */
    if (json_is_integer(value) &&
        (json_integer_value(value) < 0 || json_integer_value(value) >= 1000000000000000))
        return false;
    if (json_is_integer(value)) {
        *sum += (uint64_t)json_integer_value(value);
        return true;
    }
    if (digits == NULL || json_string_length(value) == 0 || json_string_length(value) > 15) return false;
    if (strspn(digits, "0123456789") != json_string_length(value)) return false;
    *sum += strtoull(digits, NULL, 10);
    return true;
}

static bool is_problem(const json_t *value) {
    if (json_is_string(value)) return json_string_length(value) > 0;
    return value && !json_is_null(value) && !json_is_false(value);
}

static bool has_real(const json_t *item) {
    return json_is_real(json_object_get(item, "acceptedCount")) ||
           json_is_real(json_object_get(item, "rejectedCount"));
}

/* False when its counts are written so that jansson cannot judge them. */
static bool read_theirs(cly_sendouts *theirs, const json_t *root) {
    static const cly_sendouts nothing = {0};
    const json_t *data = json_object_get(root, "data");
    cly_sendouts sum = {0, 0, 0, false, true};
    *theirs = nothing;
    for (size_t i = 0; i < json_array_size(data); i++)
        if (has_real(json_array_get(data, i))) return false;
    for (size_t i = 0; i < json_array_size(data); i++) {
        const json_t *item = json_array_get(data, i);
        bool failed = is_problem(json_object_get(item, "error")), is_said = failed;
        if (!add_count(&sum.accepted, &is_said, json_object_get(item, "acceptedCount")) ||
            !add_count(&sum.rejected, &is_said, json_object_get(item, "rejectedCount")) || !is_said)
            return true;
        sum.count++;
        sum.has_problem |= failed;
        sum.all_failed &= failed;
    }
    sum.has_problem |= is_problem(json_object_get(root, "error"));
    if (sum.count > 0) *theirs = sum;
    return true;
}

static void compare_sendouts(const cly_sendouts *ours, const char *body, size_t size) {
    bool may_differ;
    json_t *root = jansson_read(body, size, JSON_REJECT_DUPLICATES, &may_differ);
    cly_sendouts theirs;
    if (root && !may_differ && read_theirs(&theirs, root)) {
        EXPECT(ours->count == theirs.count, "sendouts");
        EXPECT(ours->accepted == theirs.accepted && ours->rejected == theirs.rejected, "counts");
        EXPECT(ours->has_problem == theirs.has_problem, "a problem");
        EXPECT(ours->all_failed == theirs.all_failed, "all failed");
    }
    json_decref(root);
}

/* A success is no lie, and a refusal is one of all. */
static void judge_entries(const cly_report *report, const cly_response *response, int entries) {
    static const cly_operation campaigns = {.reply = CLY_REPLY_CAMPAIGNS};
    const cly_sendouts *said = &response->sendouts;
    cly_error error;
    cly_error_clear(&error);
    if (cly_outcome_judge(report, &campaigns, (cly_batch){entries, 1}, response, &error) == CLY_OK) {
        EXPECT(response->is_json && said->count > 0 && !said->has_problem, "a success");
        EXPECT(said->accepted == (uint64_t)entries && said->rejected == 0, "a success of all");
        return;
    }
    EXPECT(error.kind == CLY_REJECTED || error.kind == CLY_PROTOCOL, "a kind");
    EXPECT(error.outcome == CLY_UNKNOWN || (error.outcome == CLY_REFUSED && said->accepted == 0), "refused");
    EXPECT(error.outcome == CLY_UNKNOWN || said->all_failed || said->rejected == (uint64_t)entries, "all");
    EXPECT(error.message[0] && memchr(error.message, '\0', sizeof error.message), "a message");
    EXPECT(!cly_has_control(error.message, strlen(error.message)) && error.hint, "a line, and a hint");
}

static void check_campaigns(const char *body, size_t size, const char *secret) {
    static const cly_operation campaigns = {.reply = CLY_REPLY_CAMPAIGNS};
    cly_report report = {CLY_END_REPLY, true, 200, -1, NULL, body, size};
    cly_response response;
    cly_response_init(&response);
    cly_outcome_read(&report, &campaigns, &response, secret);
    for (int which = 0; which < CLY_TEXT_COUNT; which++)
        if (cly_response_text(&response, (cly_reply_text)which))
            check_text(&response, (cly_reply_text)which, secret);
    for (int entries = 1; entries <= 3; entries++) judge_entries(&report, &response, entries);
    if (response.sendouts.accepted <= INT_MAX)
        judge_entries(&report, &response, (int)response.sendouts.accepted);
    if (secret == NULL && size > 0) compare_sendouts(&response.sendouts, body, size);
    cly_response_clear(&response);
}

/* ---- */

static void check(const char *body, size_t size, const char *secret) {
    cly_response response;
    cly_response_init(&response);
    cly_response_read(&response, body, size, secret);
    check_texts(&response, size, secret);
    check_verdicts(&response, body, size, secret);
    if (secret == NULL && size > 0) compare(&response, body, size);
    cly_response_clear(&response);
    check_campaigns(body, size, secret);
}

/* The same body where something has echoed the key. */
static void check_echo(const char *body, size_t size, const char *secret) {
    char spelling[SPELLING_MAX], *echo;
    uint32_t choice = fuzz_hash(body, size) ^ fuzz_hash(secret, strlen(secret));
    size_t count = spelling_write(spelling, sizeof spelling, secret, choice), at = choice % (size + 1);
    EXPECT((echo = malloc(size + count)) != NULL, "memory");
    memcpy(echo, body, at);
    memcpy(echo + at, spelling, count);
    memcpy(echo + at + count, body + at, size - at);
    check(echo, size + count, secret);
    free(echo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *body = size ? (const char *)data : "";
    if (size > CLY_REPLY_MAX / 2) return -1;
    check(body, size, NULL);
    for (size_t i = 0; i < SECRET_COUNT; i++) check(body, size, secrets[i]);
    check_echo(body, size, secrets[fuzz_hash(body, size) / 7 % SECRET_COUNT]);
    return 0;
}
