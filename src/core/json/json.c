#include "core/json/json.h"

#include "core/base/text.h"

typedef struct reader {
    const char *at, *end;
    size_t depth;
    cly_json_member *members;
    size_t count;
} reader;

/* ---- characters ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

int32_t cly_json_unit(const char *digits, size_t left) {
    int32_t unit = 0;
    if (left < 4) return -1;
    for (int i = 0; i < 4; i++) {
        if (hex_digit(digits[i]) < 0) return -1;
        unit = unit * 16 + hex_digit(digits[i]);
    }
    return unit;
}

int32_t cly_json_pair(int32_t high, int32_t low) {
    if (high < 0xD800 || high > 0xDBFF || low < 0xDC00 || low > 0xDFFF) return -1;
    return 0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00);
}

/* Returns the length of a \u escape, or of two that form a surrogate pair; 0 if it is invalid. */
static size_t read_unicode(const char *at, size_t left, int32_t *code) {
    *code = cly_json_unit(at + 2, left - 2);
    if (*code < 0) return 0;
    if (*code < 0xD800 || *code > 0xDFFF) return 6;
    if (left < 8 || at[6] != '\\' || at[7] != 'u') return 0;
    *code = cly_json_pair(*code, cly_json_unit(at + 8, left - 8));
    return *code < 0 ? 0 : 12;
}

static size_t read_escape(const char *at, size_t left, int32_t *code) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    if (left < 2) return 0;
    if (at[1] == 'u') return read_unicode(at, left, code);
    letter = at[1] ? strchr(letters, at[1]) : NULL;
    if (letter == NULL) return 0;
    *code = meanings[letter - letters];
    return 2;
}

/* Returns the length of the string character at `at`, or 0 if it is invalid there. `*code` receives the
 * code of ASCII characters and escapes, and -1 for any other. */
static size_t read_character(const char *at, size_t left, int32_t *code) {
    unsigned char byte = (unsigned char)*at;
    if (byte == '\\') return read_escape(at, left, code);
    *code = byte < 0x80 ? byte : -1;
    if (byte >= 0x80) return cly_utf8_sequence((const unsigned char *)at, left);
    return byte >= 0x20 && byte != '"' ? 1 : 0;
}

/* ---- the grammar: each function steps over one element and returns false on a syntax error ---- */

static bool skip_value(reader *read, cly_json_value *value);

static bool take(reader *read, char byte) {
    if (read->at == read->end || *read->at != byte) return false;
    read->at++;
    return true;
}

static void skip_blanks(reader *read) {
    while (read->at < read->end &&
           (*read->at == ' ' || *read->at == '\t' || *read->at == '\n' || *read->at == '\r'))
        read->at++;
}

static bool skip_word(reader *read, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(read->end - read->at) < length || memcmp(read->at, word, length) != 0) return false;
    read->at += length;
    return true;
}

/* Fast path: nearly all characters are simple. */
static bool is_simple(char c) {
    return c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void skip_simple(reader *read) {
    while (read->at < read->end && is_simple(*read->at)) read->at++;
}

static bool skip_string(reader *read) {
    if (!take(read, '"')) return false;
    for (skip_simple(read); read->at < read->end && *read->at != '"'; skip_simple(read)) {
        int32_t code;
        size_t length = read_character(read->at, (size_t)(read->end - read->at), &code);
        if (length == 0) return false;
        read->at += length;
    }
    return take(read, '"');
}

static bool skip_digits(reader *read) {
    const char *start = read->at;
    while (read->at < read->end && *read->at >= '0' && *read->at <= '9') read->at++;
    return read->at > start;
}

/* The caller rejects a digit after a leading zero. */
static bool skip_number(reader *read) {
    take(read, '-');
    if (!take(read, '0') && !skip_digits(read)) return false;
    if (take(read, '.') && !skip_digits(read)) return false;
    if (!take(read, 'e') && !take(read, 'E')) return true;
    if (!take(read, '-')) take(read, '+');
    return skip_digits(read);
}

static bool is_spelled(const cly_json_value *string, const char *name) {
    const char *at = string->start + 1, *end = string->start + string->length - 1;
    while (at < end) {
        int32_t code = 0;
        at += read_character(at, (size_t)(end - at), &code);
        if (*name == '\0' || code != *name) return false;
        name++;
    }
    return *name == '\0';
}

/* Records a wanted member. Returns false if the name is wanted and occurs a second time. */
static bool note(reader *read, const cly_json_value *name, const cly_json_value *value) {
    for (size_t i = 0; i < read->count; i++) {
        if (!is_spelled(name, read->members[i].name)) continue;
        if (read->members[i].value.type != CLY_JSON_ABSENT) return false;
        read->members[i].value = *value;
    }
    return true;
}

static bool skip_item(reader *read) {
    cly_json_value value;
    return skip_value(read, &value);
}

static bool skip_member(reader *read) {
    cly_json_value name = {CLY_JSON_STRING, read->at, 0}, value;
    if (!skip_string(read)) return false;
    name.length = (size_t)(read->at - name.start);
    skip_blanks(read);
    if (!take(read, ':')) return false;
    skip_blanks(read);
    if (!skip_value(read, &value)) return false;
    return read->depth > 1 || note(read, &name, &value);
}

static bool skip_brackets(reader *read, char close, bool (*skip)(reader *)) {
    if (read->depth == CLY_JSON_DEPTH_MAX) return false;
    read->depth++;
    read->at++;
    skip_blanks(read);
    if (!take(read, close)) {
        do {
            skip_blanks(read);
            if (!skip(read)) return false;
            skip_blanks(read);
        } while (take(read, ','));
        if (!take(read, close)) return false;
    }
    read->depth--;
    return true;
}

static cly_json_type type_of(char first) {
    switch (first) {
    case 'n': return CLY_JSON_NULL;
    case 'f': return CLY_JSON_FALSE;
    case 't': return CLY_JSON_TRUE;
    case '"': return CLY_JSON_STRING;
    case '[': return CLY_JSON_ARRAY;
    case '{': return CLY_JSON_OBJECT;
    default: return CLY_JSON_NUMBER;
    }
}

static bool skip_by_type(reader *read, cly_json_type type) {
    switch (type) {
    case CLY_JSON_NULL: return skip_word(read, "null");
    case CLY_JSON_FALSE: return skip_word(read, "false");
    case CLY_JSON_TRUE: return skip_word(read, "true");
    case CLY_JSON_STRING: return skip_string(read);
    case CLY_JSON_ARRAY: return skip_brackets(read, ']', skip_item);
    case CLY_JSON_OBJECT: return skip_brackets(read, '}', skip_member);
    default: return skip_number(read);
    }
}

static bool skip_value(reader *read, cly_json_value *value) {
    if (read->at == read->end) return false;
    value->start = read->at;
    value->type = type_of(*read->at);
    if (!skip_by_type(read, value->type)) return false;
    value->length = (size_t)(read->at - value->start);
    return true;
}

static void forget(cly_json_member members[], size_t count) {
    for (size_t i = 0; i < count; i++) members[i].value = (cly_json_value){CLY_JSON_ABSENT, NULL, 0};
}

bool cly_json_read(cly_json_member members[], size_t count, const char *text, size_t length) {
    reader read = {text, length ? text + length : text, 0, members, count};
    bool is_valid;
    forget(members, count);
    skip_blanks(&read);
    is_valid = skip_item(&read);
    skip_blanks(&read);
    is_valid = is_valid && read.at == read.end;
    if (!is_valid) forget(members, count);
    return is_valid;
}

bool cly_json_is_valid(const char *text, size_t length) {
    return cly_json_read(NULL, 0, text, length);
}

bool cly_json_next_item(const cly_json_value *array, cly_json_value *item) {
    const char *close = array->start + array->length - 1;
    bool is_first = item->type == CLY_JSON_ABSENT;
    reader read = {is_first ? array->start + 1 : item->start + item->length, close, 0, NULL, 0};
    skip_blanks(&read);
    if (!is_first && !take(&read, ',')) return false;
    skip_blanks(&read);
    return skip_value(&read, item);
}

/* ---- unescaping strings ---- */

static char *put_utf8(char *out, int32_t code) {
    static const int marks[] = {0, 0xC0, 0xE0, 0xF0};
    int shift = code < 0x80 ? 0 : code < 0x800 ? 6 : code < 0x10000 ? 12 : 18;
    *out++ = (char)(marks[shift / 6] | code >> shift);
    for (shift -= 6; shift >= 0; shift -= 6) *out++ = (char)(0x80 | (code >> shift & 0x3F));
    return out;
}

/* A character never takes more bytes than the escape that encodes it. */
void cly_json_unescape(cly_buffer *out, const cly_json_value *string) {
    const char *at = string->start + 1, *end = string->start + string->length - 1;
    char *start = cly_buffer_reserve(out, string->length), *place = start;
    if (start == NULL) return;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        int32_t code = 0;
        memcpy(place, at, plain);
        place += plain;
        at += plain;
        if (escape) at += read_escape(at, (size_t)(end - at), &code);
        if (escape) place = put_utf8(place, code);
    }
    out->length += (size_t)(place - start);
}

bool cly_json_short_text(char *out, size_t room, const cly_json_value *string) {
    const char *at = string->start + 1, *end = string->start + string->length - 1;
    for (; at < end && room > 1; room--) {
        int32_t code = 0;
        at += read_character(at, (size_t)(end - at), &code);
        if (code <= 0 || code >= 0x80) return false;
        *out++ = (char)code;
    }
    if (room > 0) *out = '\0';
    return room > 0 && at == end;
}

/* ---- copies of a text ---- */

/* JSON has no leading zeros, so digits of equal length compare as text. */
static bool is_long(const char *number, size_t length) {
    static const char limit[] = "9007199254740992"; /* 2^53 */
    enum { DIGITS = sizeof limit - 1 };
    if (*number == '-') number++, length--;
    for (size_t i = 0; i < length; i++)
        if (number[i] < '0' || number[i] > '9') return false;
    return length > DIGITS || (length == DIGITS && memcmp(number, limit, DIGITS) > 0);
}

/* Steps over a string, a number, or one byte of anything else. Returns true for a number that a double
 * cannot hold. */
static bool skip_token(reader *read) {
    const char *start = read->at;
    if (type_of(*start) == CLY_JSON_STRING) return !skip_string(read);
    if (*start == '-' || (*start >= '0' && *start <= '9'))
        return skip_number(read) && is_long(start, (size_t)(read->at - start));
    read->at++;
    return false;
}

static size_t put(char *out, size_t at, const char *bytes, size_t count) {
    if (out) memcpy(out + at, bytes, count);
    return at + count;
}

size_t cly_json_quote_long(char *out, const char *text, size_t length) {
    reader read = {text, length ? text + length : text, 0, NULL, 0};
    size_t written = 0;
    while (read.at < read.end) {
        const char *start = read.at;
        bool is_quoted = skip_token(&read);
        if (is_quoted) written = put(out, written, "\"", 1);
        written = put(out, written, start, (size_t)(read.at - start));
        if (is_quoted) written = put(out, written, "\"", 1);
    }
    return written;
}

size_t cly_json_compact(char *out, const char *text, size_t length) {
    reader read = {text, length ? text + length : text, 0, NULL, 0};
    size_t written = 0;
    for (skip_blanks(&read); read.at < read.end; skip_blanks(&read)) {
        const char *start = read.at;
        skip_token(&read);
        written = put(out, written, start, (size_t)(read.at - start));
    }
    return written;
}
