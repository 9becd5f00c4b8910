#include "core/json_writer.h"

#include "core/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void separate(cly_json_writer *json) {
    if (json->comma) cly_buffer_byte(json->out, ',');
    json->comma = true;
}

void cly_json_open(cly_json_writer *json, char bracket) {
    separate(json);
    cly_buffer_byte(json->out, bracket);
    json->comma = false;
}

void cly_json_close(cly_json_writer *json, char bracket) {
    cly_buffer_byte(json->out, bracket);
    json->comma = true;
}

void cly_json_key(cly_json_writer *json, const char *key) {
    size_t length = strlen(key);
    char *place = cly_buffer_reserve(json->out, length + 4);
    if (place == NULL) return;
    if (json->comma) *place++ = ',';
    *place++ = '"';
    memcpy(place, key, length);
    place += length;
    *place++ = '"';
    *place++ = ':';
    json->out->length = (size_t)(place - json->out->data);
    json->comma = false;
}

static void write_escape(cly_buffer *out, unsigned char byte) {
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char long_form[7];
    for (const char *form = short_forms; *form; form += 2) {
        if ((unsigned char)form[0] != byte) continue;
        cly_buffer_byte(out, '\\');
        cly_buffer_byte(out, form[1]);
        return;
    }
    snprintf(long_form, sizeof long_form, "\\u%04x", (unsigned)byte);
    cly_buffer_append(out, long_form, 6);
}

static bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static bool write_escaped(cly_buffer *out, const unsigned char *text, size_t length) {
    size_t from = 0, at = 0;
    while (at < length) {
        if (is_plain(text[at])) {
            at++;
        } else if (text[at] >= 0x80) {
            size_t count = cly_utf8_sequence(text + at, length - at);
            if (count == 0) return false;
            at += count;
        } else {
            cly_buffer_append(out, text + from, at - from);
            write_escape(out, text[at]);
            from = ++at;
        }
    }
    cly_buffer_append(out, text + from, at - from);
    return true;
}

bool cly_json_text(cly_json_writer *json, const char *text, size_t length) {
    bool is_valid;
    separate(json);
    cly_buffer_byte(json->out, '"');
    is_valid = write_escaped(json->out, (const unsigned char *)text, length);
    cly_buffer_byte(json->out, '"');
    return is_valid;
}

void cly_json_plain(cly_json_writer *json, const char *text) {
    separate(json);
    cly_buffer_byte(json->out, '"');
    cly_buffer_text(json->out, text);
    cly_buffer_byte(json->out, '"');
}

/* printf writes the locale's decimal mark, which may be any text. */
static size_t with_point(char *text) {
    char *from = text, *to = text;
    bool is_in_mark = false;
    for (; *from; from++) {
        bool is_number = (*from >= '0' && *from <= '9') || strchr("+-einf", *from);
        if (is_number) {
            *to++ = *from;
        } else if (!is_in_mark) {
            *to++ = '.';
        }
        is_in_mark = !is_number;
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* The largest double below which every whole number is exact and short. */
static bool is_whole(double real) {
    return real == floor(real) && fabs(real) < 9.2e18;
}

size_t cly_number_as_text(char out[CLY_NUMBER_SIZE], cly_number number) {
    if (number.is_integer) return (size_t)snprintf(out, CLY_NUMBER_SIZE, "%lld", (long long)number.integer);
    if (is_whole(number.real)) return (size_t)snprintf(out, CLY_NUMBER_SIZE, "%lld", (long long)number.real);
    snprintf(out, CLY_NUMBER_SIZE, "%.14g", number.real);
    return with_point(out);
}

/* The fewest digits that read back as the same double. */
static size_t shortest(char out[CLY_NUMBER_SIZE], double real) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, CLY_NUMBER_SIZE, "%.*g", digits, real);
        if (strtod(out, NULL) == real) break;
    }
    return with_point(out);
}

void cly_json_number(cly_json_writer *json, cly_number number) {
    char digits[CLY_NUMBER_SIZE];
    size_t length = number.is_integer || is_whole(number.real) ? cly_number_as_text(digits, number)
                                                               : shortest(digits, number.real);
    cly_json_raw(json, digits, length);
}

void cly_json_boolean(cly_json_writer *json, bool value) {
    separate(json);
    cly_buffer_text(json->out, value ? "true" : "false");
}

void cly_json_raw(cly_json_writer *json, const char *bytes, size_t length) {
    separate(json);
    cly_buffer_append(json->out, bytes, length);
}
