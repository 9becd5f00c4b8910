#include "core/encode/session.h"

#include "core/encode/field_encoders.h"

#define SESSION(name) CLY_AT(session, name)
#define CONTENT(name) CLY_AT(content, name)

static void write_sender(cly_reader *reader, const cly_slots *slots, const char *default_sender) {
    if (slots->given[SESSION(sender)] || default_sender == NULL) {
        cly_write_field(reader, slots, SESSION(sender), NULL);
        return;
    }
    cly_json_key(&reader->json, "sender");
    cly_json_open(&reader->json, '{');
    cly_json_key(&reader->json, "id");
    cly_json_plain(&reader->json, default_sender);
    cly_json_key(&reader->json, "channelType");
    cly_json_plain(&reader->json, "whatsapp");
    cly_json_close(&reader->json, '}');
}

static void write_recipient(cly_reader *reader, const cly_slots *slots) {
    cly_path number = cly_path_name(NULL, "number");
    if (slots->given[SESSION(number)] && slots->given[SESSION(recipient)]) {
        cly_problem_add(reader->problems, &number, "given twice: as `recipient` as well");
    } else if (slots->given[SESSION(recipient)]) {
        cly_write_field(reader, slots, SESSION(recipient), NULL);
    } else if (slots->given[SESSION(number)]) {
        cly_path path = number;
        cly_json_key(&reader->json, "recipient");
        cly_write_party(reader, slots->values[SESSION(number)], &path);
    } else {
        cly_problem_add(reader->problems, &number, "missing");
    }
}

/* Checks that the text and the content fit together. API: session message, "exactly one content type". */
static void check_text(cly_reader *reader, const cly_slots *slots, size_t text, size_t content,
                       const cly_path *path) {
    cly_path at = cly_path_name(path, "text");
    const cly_field *field = &slots->shape->fields[content];
    bool has_body = field->type == CLY_FIELD_LIST && field->shape == &cly_shape_button;
    has_body = has_body || field->shape == &cly_shape_list || field->shape == &cly_shape_reply_buttons ||
               field->type == CLY_FIELD_PRODUCT || field->type == CLY_FIELD_JSON_OBJECT;
    if (slots->given[text] && !has_body)
        cly_problem_add(reader->problems, &at, "does not go with `%s`: a message has one content%s",
                        field->name, field->type == CLY_FIELD_MEDIA ? " (a medium takes a caption)" : "");
    if (!slots->given[text] && field->type == CLY_FIELD_JSON_OBJECT)
        cly_problem_add(reader->problems, &at, "missing: `%s` needs one", field->name);
}

/* Writes a `message` given in the wire form. */
static void write_content(cly_reader *reader, cly_value value, const cly_path *path) {
    cly_slots slots;
    size_t content = CONTENT(text);
    int count;
    if (!cly_reader_table(reader, value, path)) return;
    cly_collect(reader, &cly_shape_content, value, path, &slots);
    count = cly_count_given(&slots, CONTENT(attachments), CONTENT(multi_product_message), &content);
    if (count > 1 || (count == 0 && !slots.given[CONTENT(text)]))
        cly_problem_add(reader->problems, path, "exactly one content expected, got %s",
                        count ? "several" : "none");
    else if (count == 1)
        check_text(reader, &slots, CONTENT(text), content, path);
    cly_json_open(&reader->json, '{');
    for (size_t i = 0; i < slots.shape->count; i++) cly_write_field(reader, &slots, i, path);
    cly_json_close(&reader->json, '}');
}

static void write_attachment(cly_reader *reader, const cly_slots *slots, size_t at) {
    const cly_field *field = &slots->shape->fields[at];
    cly_path path = cly_path_name(NULL, field->name);
    cly_json_key(&reader->json, "attachments");
    cly_json_open(&reader->json, '[');
    cly_write_media(reader, field->wire, slots->values[at], NULL, &path);
    cly_json_close(&reader->json, ']');
}

/* Writes a header or footer given in the message or inside its list. */
static void write_outer(cly_reader *reader, const cly_slots *outer, size_t outer_at, const cly_slots *inner,
                        size_t inner_at, const cly_path *inner_path) {
    cly_path twice = cly_path_name(NULL, outer->shape->fields[outer_at].name);
    if (inner == NULL || !inner->given[inner_at])
        cly_write_field(reader, outer, outer_at, NULL);
    else if (outer->given[outer_at])
        cly_problem_add(reader->problems, &twice, "given twice: in `%s` as well", inner_path->name);
    else
        cly_write_field(reader, inner, inner_at, inner_path);
}

static void write_list(cly_reader *reader, const cly_slots *slots) {
    cly_slots list;
    cly_path path = cly_path_name(NULL, "list");
    cly_value value = slots->values[SESSION(list)];
    if (!cly_reader_table(reader, value, &path)) return;
    cly_collect(reader, &cly_shape_list, value, &path, &list);
    cly_json_key(&reader->json, "listMessage");
    cly_json_open(&reader->json, '{');
    write_outer(reader, slots, SESSION(header), &list, CLY_AT(list, header), &path);
    write_outer(reader, slots, SESSION(footer), &list, CLY_AT(list, footer), &path);
    cly_write_field(reader, &list, CLY_AT(list, button), &path);
    cly_write_field(reader, &list, CLY_AT(list, sections), &path);
    cly_json_close(&reader->json, '}');
}

static void write_buttons(cly_reader *reader, const cly_slots *slots) {
    cly_json_key(&reader->json, "replyButtonMessage");
    cly_json_open(&reader->json, '{');
    cly_write_field(reader, slots, SESSION(header), NULL);
    cly_write_field(reader, slots, SESSION(footer), NULL);
    cly_write_field(reader, slots, SESSION(buttons), NULL);
    cly_json_close(&reader->json, '}');
}

static void refuse_outer(cly_reader *reader, const cly_slots *slots, size_t at, const char *where) {
    cly_path path = cly_path_name(NULL, slots->shape->fields[at].name);
    if (slots->given[at]) cly_problem_add(reader->problems, &path, "%s", where);
}

static void write_our_content(cly_reader *reader, const cly_slots *slots, size_t at) {
    bool takes_outer = at == SESSION(list) || at == SESSION(buttons);
    if (!takes_outer) {
        refuse_outer(reader, slots, SESSION(header),
                     "goes with `list` and `buttons` (of `products`: inside)");
        refuse_outer(reader, slots, SESSION(footer), "goes with `list` and `buttons` (of a product: inside)");
    }
    switch (at) {
    case SESSION(text): break; /* a text alone, already written */
    case SESSION(list): write_list(reader, slots); break;
    case SESSION(buttons): write_buttons(reader, slots); break;
    case SESSION(image):
    case SESSION(video):
    case SESSION(audio):
    case SESSION(document): write_attachment(reader, slots, at); break;
    default: cly_write_field(reader, slots, at, NULL); break;
    }
}

/* Writes a content given in our form: text, image, list, ... */
static void write_our_message(cly_reader *reader, const cly_slots *slots) {
    size_t content = SESSION(text);
    int count = cly_count_given(slots, SESSION(image), SESSION(products), &content);
    cly_path text = cly_path_name(NULL, "text");
    cly_path path = cly_path_name(NULL, slots->shape->fields[content].name);
    if (count > 1)
        cly_problem_add(reader->problems, &path, "a message has one content, got %d", count);
    else if (count == 1)
        check_text(reader, slots, SESSION(text), content, NULL);
    else if (!slots->given[SESSION(text)])
        cly_problem_add(reader->problems, &text,
                        "missing: a message has a text, a medium, a location, a list, buttons or a product");
    cly_json_key(&reader->json, "message");
    cly_json_open(&reader->json, '{');
    cly_write_field(reader, slots, SESSION(text), NULL);
    write_our_content(reader, slots, content);
    cly_json_close(&reader->json, '}');
}

static void write_message(cly_reader *reader, const cly_slots *slots) {
    cly_path path = cly_path_name(NULL, "message");
    size_t at = 0;
    if (!slots->given[SESSION(message)]) {
        write_our_message(reader, slots);
        return;
    }
    if (cly_count_given(slots, SESSION(text), SESSION(footer), &at) > 0)
        cly_problem_add(reader->problems, &path, "does not go with `%s`: one form or the other",
                        slots->shape->fields[at].name);
    cly_json_key(&reader->json, "message");
    write_content(reader, slots->values[SESSION(message)], &path);
}

void cly_write_session(cly_reader *reader, const cly_slots *slots, const char *default_sender) {
    cly_json_open(&reader->json, '{');
    write_sender(reader, slots, default_sender);
    write_recipient(reader, slots);
    write_message(reader, slots);
    cly_write_field(reader, slots, SESSION(callback_data), NULL);
    cly_write_field(reader, slots, SESSION(campaign_name), NULL);
    cly_json_close(&reader->json, '}');
}
