#include "core/reply/sendouts.h"

#include <inttypes.h>
#include <string.h>

enum { DIGITS_MAX = 15 };

static bool is_said(const cly_json_value *value) {
    return value->type != CLY_JSON_ABSENT && value->type != CLY_JSON_NULL;
}

/* True for any value except absent, null, false and an empty string. */
static bool is_problem(const cly_json_value *value) {
    if (value->type == CLY_JSON_STRING) return value->length > strlen("\"\"");
    return is_said(value) && value->type != CLY_JSON_FALSE;
}

/* ---- counts ---- */

/* Saturates: the sum of many counts may exceed the type. */
static uint64_t add(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t power_of_ten(long power) {
    uint64_t unit = 1;
    while (power-- > 0) unit *= 10;
    return unit;
}

static bool read_digits(uint64_t *count, const cly_json_value *string) {
    char digits[DIGITS_MAX + 1];
    size_t length;
    if (!cly_json_short_text(digits, sizeof digits, string)) return false;
    length = strlen(digits);
    if (length == 0 || strspn(digits, "0123456789") != length) return false;
    for (size_t i = 0; i < length; i++) *count = *count * 10 + (uint64_t)(digits[i] - '0');
    return true;
}

/* Reads the exponent of a number, capped at a value that no reply has enough digits to offset. */
static long read_exponent(const char *at, const char *end) {
    const long enough = 100000000;
    bool is_negative = at < end && *at == '-';
    long exponent = 0;
    for (; at < end; at++)
        if (*at >= '0' && *at <= '9' && exponent < enough) exponent = exponent * 10 + (*at - '0');
    return is_negative ? -exponent : exponent;
}

/* Exact, computed on the text: 3, 3.0 and 30e-1 are counts, 3.5 and -3 are not. */
static bool read_number(uint64_t *count, const cly_json_value *number) {
    const char *start = number->start, *end = start + number->length, *mark, *point;
    bool is_negative = *start == '-';
    long power;
    if (is_negative) start++;
    mark = start; /* the e, or the end */
    while (mark < end && *mark != 'e' && *mark != 'E') mark++;
    point = memchr(start, '.', (size_t)(mark - start));
    if (point == NULL) point = mark;
    power = point - start + read_exponent(mark < end ? mark + 1 : end, end);
    for (const char *at = start; at < mark; at++) {
        if (*at == '.') continue;
        power--; /* power of ten of this digit */
        if (*at == '0') continue;
        if (is_negative || power < 0 || power >= DIGITS_MAX) return false;
        *count += (uint64_t)(*at - '0') * power_of_ten(power);
    }
    return true;
}

/* Reads a count; an absent one is 0. Returns false if the value is not a count. */
static bool read_count(uint64_t *count, const cly_json_value *value) {
    *count = 0;
    if (value->type == CLY_JSON_STRING) return read_digits(count, value);
    if (value->type == CLY_JSON_NUMBER) return read_number(count, value);
    return !is_said(value);
}

/* ---- sendouts ---- */

static void note_problem(cly_sendouts *sendouts, cly_json_value *problem, const cly_json_value *value) {
    if (!sendouts->has_problem) *problem = *value;
    sendouts->has_problem = true;
}

/* Returns false if the item does not say how many entries were accepted. */
static bool read_sendout(cly_sendouts *sendouts, cly_json_value *problem, const cly_json_value *item) {
    cly_json_member members[] = {{.name = "acceptedCount"}, {.name = "rejectedCount"}, {.name = "error"}};
    const cly_json_value *accepted = &members[0].value, *rejected = &members[1].value;
    const cly_json_value *error = &members[2].value;
    uint64_t accepted_count, rejected_count;
    if (item->type != CLY_JSON_OBJECT || !cly_json_read(members, 3, item->start, item->length)) return false;
    if (!read_count(&accepted_count, accepted) || !read_count(&rejected_count, rejected)) return false;
    if (!is_said(accepted) && !is_said(rejected) && !is_problem(error)) return false;
    sendouts->count++;
    sendouts->accepted = add(sendouts->accepted, accepted_count);
    sendouts->rejected = add(sendouts->rejected, rejected_count);
    if (is_problem(error))
        note_problem(sendouts, problem, error);
    else
        sendouts->all_failed = false;
    return true;
}

static bool read_all(cly_sendouts *sendouts, cly_json_value *problem, const cly_json_value *data) {
    cly_json_value item = {CLY_JSON_ABSENT, NULL, 0};
    if (data->type != CLY_JSON_ARRAY) return false;
    sendouts->all_failed = true;
    while (cly_json_next_item(data, &item))
        if (!read_sendout(sendouts, problem, &item)) return false;
    return sendouts->count > 0;
}

bool cly_sendouts_read(cly_sendouts *sendouts, cly_json_value *problem, const char *body, size_t length) {
    static const cly_sendouts nothing = {0};
    cly_json_member members[] = {{.name = "data"}, {.name = "error"}};
    *sendouts = nothing;
    *problem = (cly_json_value){CLY_JSON_ABSENT, NULL, 0};
    if (!cly_json_read(members, 2, body, length) || !read_all(sendouts, problem, &members[0].value)) {
        *sendouts = nothing;
        *problem = (cly_json_value){CLY_JSON_ABSENT, NULL, 0};
        return false;
    }
    if (is_problem(&members[1].value)) note_problem(sendouts, problem, &members[1].value);
    return true;
}

/* ---- the result ---- */

static bool is_all_accepted(const cly_sendouts *sendouts, cly_batch batch) {
    return !sendouts->has_problem && sendouts->rejected == 0 && sendouts->accepted == (uint64_t)batch.entries;
}

static bool is_nobody_taken(const cly_sendouts *sendouts, cly_batch batch) {
    if (sendouts->accepted > 0) return false;
    if (sendouts->rejected > 0) return sendouts->rejected == (uint64_t)batch.entries;
    return sendouts->all_failed && sendouts->count >= batch.sendouts;
}

static cly_kind refuse(const cly_sendouts *sendouts, cly_batch batch, cly_error *error) {
    uint64_t entries = (uint64_t)batch.entries;
    cly_outcome outcome = is_nobody_taken(sendouts, batch) ? CLY_REFUSED : CLY_UNKNOWN;
    bool is_complete = add(sendouts->accepted, sendouts->rejected) == entries;
    if (sendouts->rejected > 0)
        return cly_error_set(error, CLY_REJECTED, outcome,
                             "%" PRIu64 " entries were rejected, %" PRIu64 " accepted%s", sendouts->rejected,
                             sendouts->accepted, is_complete ? "" : "; the reply does not account for all");
    if (sendouts->has_problem)
        return cly_error_set(error, CLY_REJECTED, outcome,
                             "a sendout failed; %" PRIu64 " entries were accepted", sendouts->accepted);
    return cly_error_set(error, CLY_PROTOCOL, outcome,
                         "the reply accounts for %" PRIu64 " of %" PRIu64 " entries", sendouts->accepted,
                         entries);
}

static cly_kind judge(const cly_sendouts *sendouts, cly_batch batch, cly_error *error) {
    if (sendouts->count == 0)
        return cly_error_set(error, CLY_PROTOCOL, CLY_UNKNOWN,
                             "the reply does not say how many entries were accepted");
    if (is_all_accepted(sendouts, batch)) return CLY_OK;
    return refuse(sendouts, batch, error);
}

cly_kind cly_sendouts_judge(const cly_sendouts *sendouts, cly_batch batch, cly_error *error) {
    cly_kind kind = judge(sendouts, batch, error);
    if (kind == CLY_OK || error == NULL) return kind;
    error->hint =
        sendouts->count == 0
            ? "the campaign may have been started: look for its delivery statuses before sending it again"
            : "`result.sendouts` has what the API said of each campaign; repeat only what was not accepted";
    return kind;
}
