#include "core/endpoint.h"

#include "core/base/text.h"
#include "core/values.h"

/* A segment of dots alone would climb, whatever it is encoded as. */
static bool is_dots(const char *text, size_t length) {
    return length <= 2 && strspn(text, ".") >= length;
}

static void write_argument(cly_walk *walk, const cly_slots *slots, size_t at, cly_buffer *path) {
    const cly_field *field = &slots->shape->fields[at];
    cly_path inner = cly_path_text(NULL, field->name, field->name_length);
    char digits[CLY_NUMBER_SIZE];
    const char *text;
    size_t length;
    if (!slots->given[at]) {
        cly_problem_add(walk->problems, &inner, "missing");
    } else if (cly_read_text(walk, slots->values[at], &inner, digits, &text, &length)) {
        if (length == 0)
            cly_problem_add(walk->problems, &inner, "must not be empty");
        else if ((field->flags & CLY_IN_PATH) && is_dots(text, length))
            cly_problem_add(walk->problems, &inner, "an identifier expected, got dots");
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

static void write_query(cly_walk *walk, const cly_slots *slots, cly_buffer *path) {
    char mark = '?';
    for (size_t at = 0; at < slots->shape->count; at++) {
        const cly_field *field = &slots->shape->fields[at];
        if (!(field->flags & CLY_IN_QUERY) || (!slots->given[at] && !(field->flags & CLY_REQUIRED))) continue;
        cly_buffer_byte(path, mark);
        cly_buffer_append(path, field->wire, field->wire_length);
        cly_buffer_byte(path, '=');
        write_argument(walk, slots, at, path);
        mark = '&';
    }
}

void cly_write_path(cly_walk *walk, const cly_operation *operation, const cly_slots *slots,
                    cly_buffer *path) {
    const char *at = operation->path, *open;
    while ((open = strchr(at, '{')) != NULL) {
        const char *close = strchr(open, '}');
        cly_buffer_append(path, at, (size_t)(open - at));
        write_argument(walk, slots, field_of(slots->shape, open + 1, (size_t)(close - open - 1)), path);
        at = close + 1;
    }
    cly_buffer_text(path, at);
    write_query(walk, slots, path);
}

static bool is_in_body(const cly_field *field) {
    return !(field->flags & (CLY_IN_PATH | CLY_IN_QUERY)) && field->type != CLY_FIELD_TRACEPARENT;
}

void cly_write_fields(cly_walk *walk, const cly_slots *slots) {
    bool has_body = false;
    for (size_t at = 0; at < slots->shape->count; at++) {
        if (!is_in_body(&slots->shape->fields[at])) continue;
        if (!has_body) cly_json_open(&walk->json, '{');
        has_body = true;
        cly_write_field(walk, slots, at, NULL);
    }
    if (has_body) cly_json_close(&walk->json, '}');
}

/* ---- campaigns ---- */

/* Where in the body stands who is sent what: first who, then what. JSON of equal texts
 * is equal. */
typedef struct span {
    size_t start, campaign, end;
} span;

static const span *list_of(const cly_buffer *spans, size_t *count) {
    *count = spans->length / sizeof(span);
    return (const span *)(const void *)spans->data;
}

static bool is_equal(const char *body, size_t a, size_t a_end, size_t b, size_t b_end) {
    return a_end - a == b_end - b && memcmp(body + a, body + b, a_end - a) == 0;
}

static const span *find_twin(const cly_buffer *spans, const char *body, span of) {
    size_t count;
    const span *list = list_of(spans, &count);
    for (size_t i = 0; i < count; i++)
        if (is_equal(body, list[i].start, list[i].end, of.start, of.end)) return &list[i];
    return NULL;
}

static bool is_campaign_known(const cly_buffer *spans, const char *body, span of) {
    size_t count;
    const span *list = list_of(spans, &count);
    for (size_t i = count; i-- > 0;) /* mostly the one before */
        if (is_equal(body, list[i].campaign, list[i].end, of.campaign, of.end)) return true;
    return false;
}

/* API: campaigns, rules: the pair must be unique within a request, and those of one
 * campaign and version become one sendout. */
static void note_recipient(cly_walk *walk, cly_buffer *spans, span of, cly_batch *batch,
                           const cly_path *path) {
    const cly_buffer *body = walk->json.out;
    if (body->state == CLY_BUFFER_FINE) {
        size_t count;
        const span *twin = find_twin(spans, body->data, of);
        if (twin)
            cly_problem_add(walk->problems, path, "the same number and campaign as entries[%zu]",
                            (size_t)(twin - list_of(spans, &count)) + 1);
        if (!is_campaign_known(spans, body->data, of)) batch->sendouts++;
    }
    cly_buffer_append(spans, &of, sizeof of);
}

static void write_entry_sender(cly_walk *walk, const cly_slots *slots, const char *default_sender,
                               const cly_path *path) {
    if (slots->given[CLY_AT(campaign_entry, sender)] || default_sender == NULL) {
        cly_write_field(walk, slots, CLY_AT(campaign_entry, sender), path);
        return;
    }
    cly_json_key(&walk->json, "sender");
    cly_json_plain(&walk->json, default_sender);
}

/* What all entries of a request share. */
typedef struct campaigns {
    const char *default_sender;
    cly_buffer *spans;
    cly_batch batch;
} campaigns;

static size_t count_problems(const cly_walk *walk) {
    return walk->problems->count + walk->problems->overflow;
}

/* Of one that is not right, who it is for cannot be compared; it keeps its place. */
static void note_entry(cly_walk *walk, campaigns *all, span who, size_t problems, const cly_path *path) {
    static const span nobody = {0, 0, 0};
    if (count_problems(walk) == problems)
        note_recipient(walk, all->spans, who, &all->batch, path);
    else
        cly_buffer_append(all->spans, &nobody, sizeof nobody);
}

static void write_entry(cly_walk *walk, cly_value value, campaigns *all, const cly_path *path) {
    size_t problems = count_problems(walk);
    cly_slots slots;
    span who = {0, 0, 0};
    if (!cly_walk_table(walk, value, path)) {
        note_entry(walk, all, who, problems, path);
        return;
    }
    cly_collect(walk, &cly_shape_campaign_entry, value, path, &slots);
    cly_json_open(&walk->json, '{');
    who.start = walk->json.out->length;
    cly_write_field(walk, &slots, CLY_AT(campaign_entry, number), path);
    who.campaign = walk->json.out->length;
    cly_write_field(walk, &slots, CLY_AT(campaign_entry, campaign_name), path);
    cly_write_field(walk, &slots, CLY_AT(campaign_entry, campaign_version), path);
    who.end = walk->json.out->length;
    if (cly_walk_is_over(walk)) return; /* cly_message_encode says so */
    note_entry(walk, all, who, problems, path);
    write_entry_sender(walk, &slots, all->default_sender, path);
    cly_write_field(walk, &slots, CLY_AT(campaign_entry, variables), path);
    cly_write_field(walk, &slots, CLY_AT(campaign_entry, scheduled_at), path);
    cly_json_close(&walk->json, '}');
}

static void write_entries(cly_walk *walk, campaigns *all, cly_list *list, const cly_path *path) {
    const cly_source *source = walk->source;
    for (int i = 1; i <= list->count && !cly_walk_is_over(walk); i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        write_entry(walk, *cly_walk_item(walk, list, i), all, &at);
        source->release(source->host, mark);
    }
}

cly_batch cly_write_campaigns(cly_walk *walk, const cly_slots *slots, const char *default_sender,
                              cly_buffer *spans) {
    const cly_field *field = &slots->shape->fields[CLY_AT(campaigns, entries)];
    cly_path path = cly_path_name(NULL, "entries");
    campaigns all = {default_sender, spans, {0, 0}};
    cly_list list;
    if (!slots->given[CLY_AT(campaigns, entries)]) {
        cly_problem_add(walk->problems, &path, "missing");
        return all.batch;
    }
    cly_buffer_reset(spans);
    cly_walk_list(walk, slots->values[CLY_AT(campaigns, entries)], &path, (int)field->low, (int)field->high,
                  &list);
    cly_json_open(&walk->json, '{');
    cly_json_key(&walk->json, "entries");
    cly_json_open(&walk->json, '[');
    write_entries(walk, &all, &list, &path);
    cly_json_close(&walk->json, ']');
    cly_json_close(&walk->json, '}');
    all.batch.entries = list.count > 0 ? list.count : 0;
    return all.batch;
}
