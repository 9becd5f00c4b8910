#include "core/encode/template.h"

#include "core/encode/template_params.h"
#include "core/encode/field_encoders.h"
#include <stdio.h>

static void add_list(cly_reader *reader, cly_param_list *list, const cly_field *field, cly_value value,
                     const cly_path *path, cly_param param, int card) {
    const cly_source *source = reader->source;
    cly_list items;
    cly_reader_list(reader, value, path, (int)field->low, (int)field->high, &items);
    for (int i = 1; i <= items.count; i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        const cly_value *item = cly_reader_item(reader, &items, i);
        cly_param_name name = {param, {(unsigned)i, 0}};
        bool is_hole = param == CLY_PARAM_BUTTON_URL_SUFFIX || param == CLY_PARAM_CARD_BUTTON_URL_SUFFIX;
        if (card > 0) {
            /* Lua counts from 1, the wire names of cards from 0. */
            name.numbers[0] = (unsigned)card - 1;
            name.numbers[1] = (unsigned)i - 1;
        }
        is_hole = is_hole && item->type == CLY_TYPE_BOOLEAN && !source->boolean(source->host, *item);
        if (!is_hole) cly_template_params_add(reader, list, &name, item, NULL, &at);
        source->release(source->host, mark);
    }
}

static void add_slot_list(cly_reader *reader, cly_param_list *list, const cly_slots *slots, size_t at,
                          const cly_path *path, cly_param param, int card) {
    const cly_field *field = &slots->shape->fields[at];
    cly_path inner = cly_path_text(path, field->name, field->name_length);
    if (slots->given[at]) add_list(reader, list, field, slots->values[at], &inner, param, card);
}

/* All fields of a header are parameters but the file name, which belongs to one of them. */
static bool is_header_param(size_t at) {
    return at != CLY_AT(template_header, filename);
}

/* The one parameter that is given, or -1. */
static int given_header(const cly_slots *slots) {
    int found = -1;
    for (size_t at = 0; at < slots->shape->count; at++) {
        if (!slots->given[at] || !is_header_param(at)) continue;
        if (found >= 0) return -1;
        found = (int)at;
    }
    return found;
}

/* The field `text` is the parameter `header_text`, and so on: params.def has one for each. */
static bool name_header(cly_param_name *out, const cly_field *field) {
    char name[CLY_PARAM_NAME_SIZE];
    int length = snprintf(name, sizeof name, "header_%s", field->name);
    return cly_param_parse(out, name, (size_t)length);
}

static void report_header(cly_reader *reader, const cly_shape *shape, const cly_path *path) {
    char names[160] = "";
    size_t used = 0;
    for (size_t at = 0; at < shape->count && used < sizeof names; at++)
        if (is_header_param(at))
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     shape->fields[at].name);
    cly_problem_add(reader->problems, path, "exactly one of %s expected", names);
}

static void add_header(cly_reader *reader, cly_param_list *list, cly_value value, const cly_path *path) {
    cly_slots slots;
    cly_path filename = cly_path_name(path, "filename"), inner;
    bool has_filename;
    cly_param_name name = {CLY_PARAM_HEADER_TEXT, {0, 0}};
    int at;
    if (!cly_reader_table(reader, value, path)) return;
    cly_collect(reader, &cly_shape_template_header, value, path, &slots);
    at = given_header(&slots);
    if (at < 0) {
        report_header(reader, slots.shape, path);
        return;
    }
    has_filename = slots.given[CLY_AT(template_header, filename)];
    if (has_filename && at != CLY_AT(template_header, document))
        cly_problem_add(reader->problems, &filename, "only a document has a file name");
    inner = cly_path_name(path, slots.shape->fields[at].name);
    if (!name_header(&name, &slots.shape->fields[at])) {
        cly_problem_add(reader->problems, &inner, "not a template parameter");
        return;
    }
    cly_template_params_add(reader, list, &name, &slots.values[at],
                            has_filename ? &slots.values[CLY_AT(template_header, filename)] : NULL, &inner);
}

static void add_card_header(cly_reader *reader, cly_param_list *list, cly_value value, const cly_path *path,
                            int card) {
    cly_slots slots;
    cly_path image = cly_path_name(path, "image");
    cly_param_name name = {CLY_PARAM_CARD_HEADER_IMAGE, {(unsigned)card - 1, 0}};
    if (!cly_reader_table(reader, value, path)) return;
    cly_collect(reader, &cly_shape_card_header, value, path, &slots);
    if (slots.given[CLY_AT(card_header, image)])
        cly_template_params_add(reader, list, &name, &slots.values[CLY_AT(card_header, image)], NULL, &image);
    else
        cly_problem_add(reader->problems, &image, "missing");
}

static void add_card(cly_reader *reader, cly_param_list *list, cly_value value, const cly_path *path,
                     int card) {
    cly_slots slots;
    cly_path header = cly_path_name(path, "header");
    if (!cly_reader_table(reader, value, path)) return;
    cly_collect(reader, &cly_shape_card, value, path, &slots);
    if (slots.given[CLY_AT(card, header)])
        add_card_header(reader, list, slots.values[CLY_AT(card, header)], &header, card);
    add_slot_list(reader, list, &slots, CLY_AT(card, body), path, CLY_PARAM_CARD_BODY, card);
    add_slot_list(reader, list, &slots, CLY_AT(card, buttons), path, CLY_PARAM_CARD_BUTTON_URL_SUFFIX, card);
}

static void add_cards(cly_reader *reader, cly_param_list *list, cly_value value, const cly_path *path) {
    const cly_source *source = reader->source;
    cly_list items;
    cly_reader_list(reader, value, path, 0, CLY_LIST_MAX, &items);
    for (int i = 1; i <= items.count; i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        add_card(reader, list, *cly_reader_item(reader, &items, i), &at, i);
        source->release(source->host, mark);
    }
}

static bool has_parameters(const cly_slots *slots) {
    for (int i = CLY_AT(template, header); i <= CLY_AT(template, parameters); i++)
        if (slots->given[i]) return true;
    return false;
}

static void write_parameters(cly_reader *reader, cly_param_list *list, const cly_slots *slots) {
    cly_path header = cly_path_name(NULL, "header"), cards = cly_path_name(NULL, "cards");
    cly_path parameters = cly_path_name(NULL, "parameters");
    if (!has_parameters(slots)) return;
    cly_template_params_open(reader, list);
    if (slots->given[CLY_AT(template, header)])
        add_header(reader, list, slots->values[CLY_AT(template, header)], &header);
    add_slot_list(reader, list, slots, CLY_AT(template, body), NULL, CLY_PARAM_BODY, 0);
    add_slot_list(reader, list, slots, CLY_AT(template, buttons), NULL, CLY_PARAM_BUTTON_URL_SUFFIX, 0);
    if (slots->given[CLY_AT(template, cards)])
        add_cards(reader, list, slots->values[CLY_AT(template, cards)], &cards);
    if (slots->given[CLY_AT(template, parameters)])
        cly_template_params_add_wire(reader, list, slots->values[CLY_AT(template, parameters)], &parameters);
    cly_template_params_close(reader, list);
}

static void write_sender(cly_reader *reader, const cly_slots *slots, const char *default_sender) {
    if (slots->given[CLY_AT(template, sender)] || default_sender == NULL) {
        cly_write_field(reader, slots, CLY_AT(template, sender), NULL);
        return;
    }
    cly_json_key(&reader->json, "sender");
    cly_json_plain(&reader->json, default_sender);
}

void cly_write_template(cly_reader *reader, const cly_slots *slots, const char *default_sender,
                        cly_buffer *slices, cly_buffer *scratch) {
    cly_param_list list = {slices, scratch};
    cly_json_open(&reader->json, '{');
    write_sender(reader, slots, default_sender);
    cly_write_field(reader, slots, CLY_AT(template, number), NULL);
    cly_write_field(reader, slots, CLY_AT(template, template_name), NULL);
    cly_write_field(reader, slots, CLY_AT(template, language), NULL);
    write_parameters(reader, &list, slots);
    cly_write_field(reader, slots, CLY_AT(template, callback_data), NULL);
    cly_write_field(reader, slots, CLY_AT(template, campaign_name), NULL);
    cly_json_close(&reader->json, '}');
}
