#include "core/json/json_writer.h"

#include "core/base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes the opening quote, the text and the bytes that end it, with one reserve: most of a message is
 * written this way. */
static void quote(cly_json_writer *json, const char *text, size_t length, const char *end,
                  size_t end_length) {
    char *place = cly_buffer_reserve(json->out, json->comma + 1 + length + end_length);
    if (place == NULL) return;
    json->out->length += json->comma + 1 + length + end_length;
    if (json->comma) *place++ = ',';
    *place++ = '"';
    memcpy(place, text, length);
    memcpy(place + length, end, end_length);
}

void cly_json_name(cly_json_writer *json, const char *name, size_t length) {
    quote(json, name, length, "\":", 2);
    json->comma = false;
}

void cly_json_ascii(cly_json_writer *json, const char *text, size_t length) {
    quote(json, text, length, "\"", 1);
    json->comma = true;
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

/* True if one of the eight bytes is a control byte, a quote, a backslash or not ASCII. The subtractions
 * set the high bit of each byte that is below the subtrahend. A borrow can set the bit of the
 * neighboring byte too; that false positive only costs a second look. */
static bool has_special(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t quote = (word ^ ones * '"') - ones, slash = (word ^ ones * '\\') - ones;
    return ((word | (word - ones * 0x20) | quote | slash) & highs) != 0;
}

/* Copies eight bytes if all are plain. */
static inline bool copy_word(char *out, const char *text) {
    uint64_t word;
    memcpy(&word, text, 8);
    if (has_special(word)) return false;
    memcpy(out, &word, 8);
    return true;
}

/* Copies plain bytes eight at a time. The last eight may overlap the ones before, which is faster than
 * copying the rest one by one. Returns the number of bytes copied, which may end before the first
 * special byte. */
static size_t copy_plain(char *out, const char *text, size_t length) {
    size_t at = 0;
    for (; at + 8 <= length; at += 8)
        if (!copy_word(out + at, text + at)) return at;
    if (length >= 8 && copy_word(out + length - 8, text + length - 8)) return length;
    for (; at < length && is_plain((unsigned char)text[at]); at++) out[at] = text[at];
    return at;
}

bool cly_json_text(cly_json_writer *json, const char *text, size_t length) {
    char *place = cly_buffer_reserve(json->out, json->comma + length + 2);
    size_t plain;
    bool is_valid;
    if (place == NULL) return cly_is_utf8(text, length); /* without memory too, report invalid UTF-8 */
    if (json->comma) *place++ = ',';
    *place++ = '"';
    plain = copy_plain(place, text, length);
    json->out->length = (size_t)(place + plain - json->out->data);
    is_valid =
        plain == length || write_escaped(json->out, (const unsigned char *)text + plain, length - plain);
    cly_buffer_byte(json->out, '"');
    json->comma = true;
    return is_valid;
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

/* True for integers that fit into 64 bits. */
static bool is_whole(double real) {
    return real == floor(real) && fabs(real) < 9.2e18;
}

size_t cly_number_as_text(char out[CLY_NUMBER_SIZE], cly_number number) {
    if (number.is_integer) return (size_t)snprintf(out, CLY_NUMBER_SIZE, "%lld", (long long)number.integer);
    if (is_whole(number.real)) return (size_t)snprintf(out, CLY_NUMBER_SIZE, "%lld", (long long)number.real);
    /* Integers beyond 64 bits: up to 1e22 they are still written as plain digits. */
    if (number.real == floor(number.real) && fabs(number.real) < 1e22)
        return (size_t)snprintf(out, CLY_NUMBER_SIZE, "%.0f", number.real);
    snprintf(out, CLY_NUMBER_SIZE, "%.14g", number.real);
    return with_point(out);
}

/* Writes the fewest digits that read back as the same double. */
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
    cly_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void cly_json_raw(cly_json_writer *json, const char *bytes, size_t length) {
    cly_json_piece(json, bytes, length);
    json->comma = true;
}
