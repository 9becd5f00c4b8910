#include "core/encode/field_encoders.h"

#include "core/base/datetime.h"
#include "core/base/text.h"
#include <math.h>
#include <stdio.h>

#define E164_EXPECTED "a number in E.164 expected: +, country code, digits only, such as +14155550123"

static const char bsuid_prefix[] = "bsuid:";
enum { BSUID_PREFIX = sizeof bsuid_prefix - 1 };

static bool read_number(cly_reader *reader, cly_value value, const cly_path *path, cly_number *number) {
    if (cly_reader_type(reader, value) != CLY_TYPE_NUMBER) {
        cly_reader_expected(reader, path, "number", value);
        return false;
    }
    *number = reader->source->number(reader->source->host, value);
    if (number->is_integer || isfinite(number->real)) return true;
    cly_problem_add(reader->problems, path, "finite number expected");
    return false;
}

bool cly_read_text(cly_reader *reader, cly_value value, const cly_path *path, char digits[CLY_NUMBER_SIZE],
                   const char **text, size_t *length) {
    cly_number number;
    switch (cly_reader_type(reader, value)) {
    case CLY_TYPE_TEXT: *text = cly_value_text(value, length); return true;
    case CLY_TYPE_NUMBER:
        if (!read_number(reader, value, path, &number)) return false;
        *length = cly_number_as_text(digits, number);
        *text = digits;
        return true;
    default: cly_reader_expected(reader, path, "string or number", value); return false;
    }
}

/* Returns the text of a field that does not accept a number. */
static const char *read_string(cly_reader *reader, cly_value value, const cly_path *path, size_t *length) {
    if (cly_reader_type(reader, value) == CLY_TYPE_TEXT) return cly_value_text(value, length);
    cly_reader_expected(reader, path, "string", value);
    return NULL;
}

static void write_text(cly_reader *reader, const char *text, size_t length, const cly_path *path,
                       cly_field_type type, unsigned flags) {
    if (type == CLY_FIELD_URL && !cly_is_url(text, length))
        cly_problem_add(reader->problems, path, "public URL expected, beginning with https:// or http://");
    else if (length == 0 && !(flags & CLY_MAY_BE_EMPTY))
        cly_problem_add(reader->problems, path, "must not be empty");
    if (!cly_json_text(&reader->json, text, length))
        cly_problem_add(reader->problems, path, "not valid UTF-8");
}

void cly_write_text(cly_reader *reader, const cly_value *value, const cly_path *path, cly_field_type type,
                    unsigned flags) {
    char digits[CLY_NUMBER_SIZE];
    const char *text;
    size_t length;
    if (value->type == CLY_TYPE_TEXT)
        write_text(reader, value->text, value->length, path, type, flags);
    else if (cly_read_text(reader, *value, path, digits, &text, &length))
        write_text(reader, text, length, path, type, flags);
}

static void write_number(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    cly_number number;
    if (!read_number(reader, value, path, &number)) return;
    if (number.real < field->low || number.real > field->high)
        cly_problem_add(reader->problems, path, "number from %g to %g expected", field->low, field->high);
    cly_json_number(&reader->json, number);
}

static void write_boolean(cly_reader *reader, cly_value value, const cly_path *path) {
    if (cly_reader_type(reader, value) != CLY_TYPE_BOOLEAN) {
        cly_reader_expected(reader, path, "boolean", value);
        return;
    }
    cly_json_boolean(&reader->json, reader->source->boolean(reader->source->host, value));
}

/* Turns "en-us" into "en_US", to suggest it in the problem. */
static bool guess_language(const char *text, size_t length, char guess[8]) {
    bool is_region = false;
    if (length > 6) return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '-' || c == '_') {
            is_region = true;
            c = '_';
        } else if (c >= 'a' && c <= 'z' && is_region) {
            c = (char)(c - 'a' + 'A');
        } else if (c >= 'A' && c <= 'Z' && !is_region) {
            c = (char)(c - 'A' + 'a');
        }
        guess[i] = c;
    }
    guess[length] = '\0';
    return cly_is_language(guess, length);
}

static void write_language(cly_reader *reader, cly_value value, const cly_path *path) {
    size_t length;
    char guess[8];
    const char *text = read_string(reader, value, path, &length);
    if (text == NULL) return;
    if (cly_is_language(text, length))
        cly_json_ascii(&reader->json, text, length);
    else if (guess_language(text, length, guess))
        cly_problem_add(reader->problems, path, "language code expected; did you mean `%s`?", guess);
    else
        cly_problem_add(reader->problems, path, "language code expected, such as en or pt_BR");
}

static bool is_prefixed_bsuid(const char *text, size_t length) {
    return length > BSUID_PREFIX && memcmp(text, bsuid_prefix, BSUID_PREFIX) == 0 &&
           cly_is_bsuid(text + BSUID_PREFIX, length - BSUID_PREFIX);
}

/* A template's recipient keeps the prefix. API: business-scoped user ids. */
static void write_recipient(cly_reader *reader, cly_value value, const cly_path *path) {
    size_t length;
    const char *text = read_string(reader, value, path, &length);
    if (text == NULL) return;
    if (cly_is_e164(text, length) || is_prefixed_bsuid(text, length))
        cly_json_ascii(&reader->json, text, length);
    else
        cly_problem_add(reader->problems, path, E164_EXPECTED ", or bsuid: and a user id");
}

/* A session's party is written without the prefix. */
static void write_identity(cly_reader *reader, cly_value value, const cly_path *path) {
    size_t length;
    const char *text = read_string(reader, value, path, &length);
    if (text == NULL) return;
    if (is_prefixed_bsuid(text, length))
        cly_json_ascii(&reader->json, text + BSUID_PREFIX, length - BSUID_PREFIX);
    else if (cly_is_e164(text, length) || cly_is_bsuid(text, length))
        cly_json_ascii(&reader->json, text, length);
    else
        cly_problem_add(reader->problems, path, E164_EXPECTED ", or bsuid: and a user id");
}

static void write_phone_text(cly_reader *reader, cly_value value, const cly_path *path) {
    size_t length;
    const char *text = read_string(reader, value, path, &length);
    if (text == NULL) return;
    if (cly_is_e164(text, length))
        cly_json_ascii(&reader->json, text, length);
    else
        cly_problem_add(reader->problems, path, E164_EXPECTED);
}

/* The template endpoint takes a plain string, the session endpoint an object; a caller may give either
 * form to both. */
static void write_phone(cly_reader *reader, cly_value value, const cly_path *path) {
    cly_slots slots;
    cly_path id = cly_path_name(path, "id");
    if (cly_reader_type(reader, value) != CLY_TYPE_TABLE) {
        write_phone_text(reader, value, path);
        return;
    }
    cly_collect(reader, &cly_shape_party, value, path, &slots);
    if (slots.given[CLY_AT(party, id)])
        write_phone_text(reader, slots.values[CLY_AT(party, id)], &id);
    else
        cly_problem_add(reader->problems, &id, "missing");
}

static void write_party_table(cly_reader *reader, cly_value value, const cly_path *path) {
    cly_slots slots;
    cly_collect(reader, &cly_shape_party, value, path, &slots);
    if (slots.given[CLY_AT(party, id)] || !slots.given[CLY_AT(party, user_id)])
        cly_write_field(reader, &slots, CLY_AT(party, id), path);
    if (slots.given[CLY_AT(party, channel_type)]) {
        cly_write_field(reader, &slots, CLY_AT(party, channel_type), path);
    } else {
        cly_json_key(&reader->json, "channelType");
        cly_json_plain(&reader->json, "whatsapp");
    }
    cly_write_field(reader, &slots, CLY_AT(party, name), path);
    cly_write_field(reader, &slots, CLY_AT(party, user_id), path);
}

void cly_write_party(cly_reader *reader, cly_value value, const cly_path *path) {
    cly_json_open(&reader->json, '{');
    if (cly_reader_type(reader, value) == CLY_TYPE_TABLE) {
        write_party_table(reader, value, path);
    } else {
        cly_json_key(&reader->json, "id");
        write_identity(reader, value, path);
        cly_json_key(&reader->json, "channelType");
        cly_json_plain(&reader->json, "whatsapp");
    }
    cly_json_close(&reader->json, '}');
}

static void write_label(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    if (cly_reader_type(reader, value) == CLY_TYPE_TABLE) {
        cly_write_object(reader, field->shape, value, path);
        return;
    }
    cly_json_open(&reader->json, '{');
    cly_json_key(&reader->json, "text");
    cly_write_text(reader, &value, path, CLY_FIELD_TEXT, 0);
    cly_json_close(&reader->json, '}');
}

static void write_media_table(cly_reader *reader, cly_value value, bool is_document, bool has_filename,
                              const cly_path *path) {
    cly_slots slots;
    cly_path filename = cly_path_name(path, "filename");
    cly_collect(reader, &cly_shape_media, value, path, &slots);
    cly_write_field(reader, &slots, CLY_AT(media, url), path);
    cly_write_field(reader, &slots, CLY_AT(media, caption), path);
    if (slots.given[CLY_AT(media, filename)] && !is_document)
        cly_problem_add(reader->problems, &filename, "only a document has a file name");
    else if (slots.given[CLY_AT(media, filename)] && has_filename)
        cly_problem_add(reader->problems, &filename, "given twice");
    else
        cly_write_field(reader, &slots, CLY_AT(media, filename), path);
}

void cly_write_media(cly_reader *reader, const char *type, cly_value value, const cly_value *filename,
                     const cly_path *path) {
    bool is_document = strcmp(type, "document") == 0;
    cly_path filename_path = cly_path_name(path->parent, "filename");
    cly_json_open(&reader->json, '{');
    cly_json_key(&reader->json, "type");
    cly_json_plain(&reader->json, type);
    if (cly_reader_type(reader, value) == CLY_TYPE_TABLE) {
        write_media_table(reader, value, is_document, filename != NULL, path);
    } else {
        cly_json_key(&reader->json, "url");
        cly_write_text(reader, &value, path, CLY_FIELD_URL, 0);
    }
    if (filename && !is_document) {
        cly_problem_add(reader->problems, &filename_path, "only a document has a file name");
    } else if (filename) {
        cly_json_key(&reader->json, "filename");
        cly_write_text(reader, filename, &filename_path, CLY_FIELD_TEXT, 0);
    }
    cly_json_close(&reader->json, '}');
}

static void write_header_content(cly_reader *reader, const cly_slots *slots, size_t at,
                                 const cly_path *path) {
    const cly_field *field = &slots->shape->fields[at];
    cly_path inner = cly_path_name(path, field->name);
    bool has_filename = slots->given[CLY_AT(header, filename)];
    const cly_value *filename = has_filename ? &slots->values[CLY_AT(header, filename)] : NULL;
    cly_path filename_path = cly_path_name(path, "filename");
    if (field->type == CLY_FIELD_MEDIA) {
        cly_json_key(&reader->json, "attachment");
        cly_write_media(reader, field->wire, slots->values[at], filename, &inner);
        return;
    }
    if (has_filename) cly_problem_add(reader->problems, &filename_path, "only a document has a file name");
    cly_write_field(reader, slots, at, path);
}

static void write_header(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    cly_slots slots;
    size_t at = 0;
    if (cly_reader_type(reader, value) != CLY_TYPE_TABLE) {
        write_label(reader, field, value, path);
        return;
    }
    cly_collect(reader, &cly_shape_header, value, path, &slots);
    cly_json_open(&reader->json, '{');
    if (cly_count_given(&slots, CLY_AT(header, text), CLY_AT(header, document), &at) == 1)
        write_header_content(reader, &slots, at, path);
    else
        cly_problem_add(reader->problems, path,
                        "exactly one of text, image, video, document, attachment expected");
    cly_json_close(&reader->json, '}');
}

static void write_attachment_type(cly_reader *reader, cly_value value, const cly_path *path) {
    static const char *const types[] = {"image", "video", "audio", "document"};
    size_t length;
    const char *text = read_string(reader, value, path, &length);
    if (text == NULL) return;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i]) != length || memcmp(types[i], text, length) != 0) continue;
        cly_json_plain(&reader->json, types[i]);
        return;
    }
    cly_problem_add(reader->problems, path, "image, video, audio or document expected");
}

/* Our form has the item's id next to the catalogue's; the wire form has it in a nested object. */
static void write_product(cly_reader *reader, cly_value value, const cly_path *path) {
    cly_slots slots;
    cly_path item = cly_path_name(path, "product_retailer_id");
    bool has_item, has_id;
    if (!cly_reader_table(reader, value, path)) return;
    cly_collect(reader, &cly_shape_product, value, path, &slots);
    has_item = slots.given[CLY_AT(product, product_item)];
    has_id = slots.given[CLY_AT(product, product_retailer_id)];
    cly_json_open(&reader->json, '{');
    cly_write_field(reader, &slots, CLY_AT(product, catalog_id), path);
    if (has_item && has_id) {
        cly_problem_add(reader->problems, &item, "given twice, also in product_item");
    } else if (has_item) {
        cly_write_field(reader, &slots, CLY_AT(product, product_item), path);
    } else if (has_id) {
        cly_json_key(&reader->json, "productItem");
        cly_json_open(&reader->json, '{');
        cly_write_field(reader, &slots, CLY_AT(product, product_retailer_id), path);
        cly_json_close(&reader->json, '}');
    } else {
        cly_problem_add(reader->problems, &item, "missing");
    }
    cly_write_field(reader, &slots, CLY_AT(product, footer), path);
    cly_json_close(&reader->json, '}');
}

static void write_list(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    const cly_source *source = reader->source;
    cly_list list;
    cly_reader_list(reader, value, path, (int)field->low, (int)field->high, &list);
    cly_json_open(&reader->json, '[');
    for (int i = 1; i <= list.count; i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        cly_write_object(reader, field->shape, *cly_reader_item(reader, &list, i), &at);
        source->release(source->host, mark);
    }
    cly_json_close(&reader->json, ']');
}

static void write_texts(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    const cly_source *source = reader->source;
    cly_list list;
    cly_reader_list(reader, value, path, (int)field->low, (int)field->high, &list);
    cly_json_open(&reader->json, '[');
    for (int i = 1; i <= list.count; i++) {
        cly_path at = cly_path_index(path, (size_t)i);
        int mark = source->mark(source->host);
        cly_write_text(reader, cly_reader_item(reader, &list, i), &at, CLY_FIELD_TEXT, 0);
        source->release(source->host, mark);
    }
    cly_json_close(&reader->json, ']');
}

/* Writes a language as an object, which only create_template requires. */
static void write_language_object(cly_reader *reader, cly_value value, const cly_path *path) {
    cly_slots slots;
    cly_path code = cly_path_name(path, "code");
    cly_json_open(&reader->json, '{');
    cly_json_key(&reader->json, "code");
    if (cly_reader_type(reader, value) != CLY_TYPE_TABLE) {
        write_language(reader, value, path);
    } else {
        cly_collect(reader, &cly_shape_language, value, path, &slots);
        if (slots.given[CLY_AT(language, code)])
            write_language(reader, slots.values[CLY_AT(language, code)], &code);
        else
            cly_problem_add(reader->problems, &code, "missing");
    }
    cly_json_close(&reader->json, '}');
}

enum { CONSTANT_MAX = 128 };

/* Writes a constant of an open set, in capitals. The prefix may be omitted: "marketing" becomes
 * MESSAGE_TEMPLATE_GROUP_CATEGORY_MARKETING. */
static void write_constant(cly_reader *reader, cly_value value, const cly_path *path, const char *prefix) {
    char word[CONSTANT_MAX];
    size_t length, used;
    const char *text = read_string(reader, value, path, &length);
    if (text == NULL) return;
    used = cly_starts_with(text, length, prefix) ? 0 : strlen(prefix);
    if (length == 0 || used + length > sizeof word) {
        cly_problem_add(reader->problems, path, "1 to %zu bytes expected", sizeof word - used);
        return;
    }
    memcpy(word, prefix, used);
    memcpy(word + used, text, length);
    for (size_t i = 0; i < used + length; i++)
        if (word[i] >= 'a' && word[i] <= 'z') word[i] = (char)(word[i] - 'a' + 'A');
    write_text(reader, word, used + length, path, CLY_FIELD_TEXT, 0);
}

static void write_datetime(cly_reader *reader, cly_value value, const cly_path *path) {
    char seconds[CLY_DATETIME_SIZE];
    cly_number number;
    const char *text = value.text;
    size_t length = value.length;
    if (value.type == CLY_TYPE_NUMBER) {
        if (!read_number(reader, value, path, &number)) return;
        text = cly_datetime_write(seconds, number.real) ? seconds : "";
        length = strlen(text);
    } else if (value.type != CLY_TYPE_TEXT) {
        cly_reader_expected(reader, path, "string or number", value);
        return;
    }
    if (cly_is_datetime(text, length))
        write_text(reader, text, length, path, CLY_FIELD_TEXT, 0);
    else
        cly_problem_add(
            reader->problems, path,
            "a date and time with its zone expected, such as 2026-12-01T15:00:00Z, or Unix seconds");
}

/* Returns the nesting depth of a JSON text. */
static int depth_of(const char *text, size_t length) {
    int depth = 0, deepest = 0;
    bool is_string = false;
    for (size_t i = 0; i < length; i++) {
        if (is_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            is_string = !is_string;
        else if (!is_string && (text[i] == '[' || text[i] == '{'))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!is_string && (text[i] == ']' || text[i] == '}'))
            depth--;
    }
    return deepest;
}

/* The length that is checked is the length of the encoded JSON, as it is sent. */
static void write_json(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    const cly_buffer *out;
    size_t start;
    const char *why;
    if (reader->json.comma) cly_buffer_byte(reader->json.out, ',');
    reader->json.comma = true;
    start = reader->json.out->length;
    why = cly_reader_source_json(reader, value);
    if (cly_reader_is_over(reader)) return;
    out = reader->json.out;
    if (why)
        cly_problem_add(reader->problems, path, "%s", why);
    else if (field->high > 0 && (double)(out->length - start) > field->high)
        cly_problem_add(reader->problems, path, "at most %.0f bytes of JSON, got %zu", field->high,
                        out->length - start);
    else if (field->high > 0 && out->state == CLY_BUFFER_FINE &&
             depth_of(out->data + start, out->length - start) > CLY_CALLBACK_DEPTH_MAX)
        cly_problem_add(reader->problems, path, "at most %d tables in each other",
                        (int)CLY_CALLBACK_DEPTH_MAX);
    else if (out->state == CLY_BUFFER_FINE && !cly_is_utf8(out->data + start, out->length - start))
        cly_problem_add(reader->problems, path, "not valid UTF-8");
}

static void write_json_object(cly_reader *reader, const cly_field *field, cly_value value,
                              const cly_path *path) {
    if (cly_reader_table(reader, value, path)) write_json(reader, field, value, path);
}

static void write_variable(cly_reader *reader, const cly_field *field, const cly_entry *entry,
                           const cly_path *path) {
    cly_path at = cly_path_text(path, entry->is_text ? entry->key : "", entry->is_text ? entry->length : 0);
    if (!entry->is_text) {
        cly_problem_add(reader->problems, path, "names and values expected, got a list item or other key");
        return;
    }
    if (!cly_json_text_key(&reader->json, entry->key, entry->length))
        cly_problem_add(reader->problems, &at, "not valid UTF-8");
    if (entry->value.type == CLY_TYPE_TEXT || entry->value.type == CLY_TYPE_NUMBER)
        cly_write_text(reader, &entry->value, &at, CLY_FIELD_TEXT, CLY_MAY_BE_EMPTY);
    else
        write_json(reader, field, entry->value, &at);
}

/* A campaign's variables may have any names. API: campaigns. */
static void write_variables(cly_reader *reader, const cly_field *field, cly_value value,
                            const cly_path *path) {
    cly_entries entries;
    size_t seen = 0;
    if (!cly_reader_table(reader, value, path)) return;
    entries.has_begun = entries.is_over = false;
    cly_json_open(&reader->json, '{');
    while (!entries.is_over && seen <= CLY_LIST_MAX) {
        cly_reader_next(reader, value, &entries);
        for (size_t i = 0; i < entries.count; i++) write_variable(reader, field, &entries.items[i], path);
        seen += entries.count;
    }
    if (seen > CLY_LIST_MAX)
        cly_problem_add(reader->problems, path, "at most %d variables", (int)CLY_LIST_MAX);
    cly_json_close(&reader->json, '}');
}

void cly_write_value(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path) {
    switch (field->type) {
    case CLY_FIELD_TEXT:
    case CLY_FIELD_URL: cly_write_text(reader, &value, path, field->type, field->flags); break;
    case CLY_FIELD_NUMBER: write_number(reader, field, value, path); break;
    case CLY_FIELD_BOOLEAN: write_boolean(reader, value, path); break;
    case CLY_FIELD_LANGUAGE: write_language(reader, value, path); break;
    case CLY_FIELD_PHONE: write_phone(reader, value, path); break;
    case CLY_FIELD_RECIPIENT: write_recipient(reader, value, path); break;
    case CLY_FIELD_IDENTITY: write_identity(reader, value, path); break;
    case CLY_FIELD_PARTY: cly_write_party(reader, value, path); break;
    case CLY_FIELD_LABEL: write_label(reader, field, value, path); break;
    case CLY_FIELD_HEADER: write_header(reader, field, value, path); break;
    case CLY_FIELD_MEDIA: cly_write_media(reader, field->wire, value, NULL, path); break;
    case CLY_FIELD_TRACEPARENT: break; /* encoder.c sends it as a header */
    case CLY_FIELD_ATTACHMENT_TYPE: write_attachment_type(reader, value, path); break;
    case CLY_FIELD_PRODUCT: write_product(reader, value, path); break;
    case CLY_FIELD_OBJECT: cly_write_object(reader, field->shape, value, path); break;
    case CLY_FIELD_LIST: write_list(reader, field, value, path); break;
    case CLY_FIELD_JSON: write_json(reader, field, value, path); break;
    case CLY_FIELD_JSON_OBJECT: write_json_object(reader, field, value, path); break;
    case CLY_FIELD_TEXTS: write_texts(reader, field, value, path); break;
    case CLY_FIELD_VARIABLES: write_variables(reader, field, value, path); break;
    case CLY_FIELD_LANGUAGE_OBJECT: write_language_object(reader, value, path); break;
    case CLY_FIELD_CATEGORY: write_constant(reader, value, path, "message_template_group_category_"); break;
    case CLY_FIELD_ACCESS: write_constant(reader, value, path, "asset_access_control_type_"); break;
    case CLY_FIELD_DATETIME: write_datetime(reader, value, path); break;
    }
}

void cly_write_field(cly_reader *reader, const cly_slots *slots, size_t at, const cly_path *path) {
    const cly_field *field = &slots->shape->fields[at];
    cly_path inner = cly_path_text(path, field->name, field->name_length);
    if (slots->given[at]) {
        cly_json_name(&reader->json, field->wire, field->wire_length);
        cly_write_value(reader, field, slots->values[at], &inner);
    } else if (field->flags & CLY_REQUIRED) {
        cly_problem_add(reader->problems, &inner, "missing");
    }
}

void cly_write_object(cly_reader *reader, const cly_shape *shape, cly_value value, const cly_path *path) {
    const cly_source *source = reader->source;
    int mark = source->mark(source->host);
    cly_slots slots;
    if (!cly_reader_table(reader, value, path)) return;
    cly_collect(reader, shape, value, path, &slots);
    cly_json_open(&reader->json, '{');
    for (size_t i = 0; i < shape->count; i++) cly_write_field(reader, &slots, i, path);
    cly_json_close(&reader->json, '}');
    source->release(source->host, mark);
}
