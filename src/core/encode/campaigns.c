#include "core/encode/campaigns.h"

#include "core/encode/field_encoders.h"

/* The part of the body that identifies an entry: first the number, then campaign and version. The
 * encoder writes equal texts as equal JSON. */
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
    for (size_t i = count; i-- > 0;) /* usually the previous one */
        if (is_equal(body, list[i].campaign, list[i].end, of.campaign, of.end)) return true;
    return false;
}

/* API: campaigns, rules: the pair of number and campaign must be unique within a request. All entries
 * of one campaign and version become one sendout. */
static void note_recipient(cly_reader *reader, cly_buffer *spans, span of, cly_batch *batch,
                           const cly_path *path) {
    const cly_buffer *body = reader->json.out;
    if (body->state == CLY_BUFFER_FINE) {
        size_t count;
        const span *twin = find_twin(spans, body->data, of);
        if (twin)
            cly_problem_add(reader->problems, path, "the same number and campaign as entries[%zu]",
                            (size_t)(twin - list_of(spans, &count)) + 1);
        if (!is_campaign_known(spans, body->data, of)) batch->sendouts++;
    }
    cly_buffer_append(spans, &of, sizeof of);
}

static void write_entry_sender(cly_reader *reader, const cly_slots *slots, const char *default_sender,
                               const cly_path *path) {
    if (slots->given[CLY_AT(campaign_entry, sender)] || default_sender == NULL) {
        cly_write_field(reader, slots, CLY_AT(campaign_entry, sender), path);
        return;
    }
    cly_json_key(&reader->json, "sender");
    cly_json_plain(&reader->json, default_sender);
}

/* State shared by all entries of a request. */
typedef struct campaigns {
    const char *default_sender;
    cly_buffer *spans;
    cly_batch batch;
} campaigns;

static size_t count_problems(const cly_reader *reader) {
    return reader->problems->count + reader->problems->overflow;
}

/* An invalid entry cannot be compared, so an empty span keeps its place in the list. */
static void note_entry(cly_reader *reader, campaigns *all, span who, size_t problems, const cly_path *path) {
    static const span none = {0, 0, 0};
    if (count_problems(reader) == problems)
        note_recipient(reader, all->spans, who, &all->batch, path);
    else
        cly_buffer_append(all->spans, &none, sizeof none);
}

static void write_entry(cly_reader *reader, cly_value value, campaigns *all, const cly_path *path) {
    size_t problems = count_problems(reader);
    cly_slots slots;
    span who = {0, 0, 0};
    if (!cly_reader_table(reader, value, path)) {
        note_entry(reader, all, who, problems, path);
        return;
    }
    cly_collect(reader, &cly_shape_campaign_entry, value, path, &slots);
    cly_json_open(&reader->json, '{');
    who.start = reader->json.out->length;
    cly_write_field(reader, &slots, CLY_AT(campaign_entry, number), path);
    who.campaign = reader->json.out->length;
    cly_write_field(reader, &slots, CLY_AT(campaign_entry, campaign_name), path);
    cly_write_field(reader, &slots, CLY_AT(campaign_entry, campaign_version), path);
    who.end = reader->json.out->length;
    if (cly_reader_is_over(reader)) return; /* cly_encoder_encode reports it */
    note_entry(reader, all, who, problems, path);
    write_entry_sender(reader, &slots, all->default_sender, path);
    cly_write_field(reader, &slots, CLY_AT(campaign_entry, variables), path);
    cly_write_field(reader, &slots, CLY_AT(campaign_entry, scheduled_at), path);
    cly_json_close(&reader->json, '}');
}

static void write_entries(cly_reader *reader, campaigns *all, cly_list *list, const cly_path *path) {
    const cly_source *source = reader->source;
    for (int i = 1; i <= list->count && !cly_reader_is_over(reader); i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        write_entry(reader, *cly_reader_item(reader, list, i), all, &at);
        source->release(source->host, mark);
    }
}

cly_batch cly_write_campaigns(cly_reader *reader, const cly_slots *slots, const char *default_sender,
                              cly_buffer *spans) {
    const cly_field *field = &slots->shape->fields[CLY_AT(campaigns, entries)];
    cly_path path = cly_path_name(NULL, "entries");
    campaigns all = {default_sender, spans, {0, 0}};
    cly_list list;
    if (!slots->given[CLY_AT(campaigns, entries)]) {
        cly_problem_add(reader->problems, &path, "missing");
        return all.batch;
    }
    cly_buffer_reset(spans);
    cly_reader_list(reader, slots->values[CLY_AT(campaigns, entries)], &path, (int)field->low,
                    (int)field->high, &list);
    cly_json_open(&reader->json, '{');
    cly_json_key(&reader->json, "entries");
    cly_json_open(&reader->json, '[');
    write_entries(reader, &all, &list, &path);
    cly_json_close(&reader->json, ']');
    cly_json_close(&reader->json, '}');
    all.batch.entries = list.count > 0 ? list.count : 0;
    return all.batch;
}
