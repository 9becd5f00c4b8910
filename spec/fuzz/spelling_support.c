#define _GNU_SOURCE /* memmem */
#include "spec/fuzz/spelling_support.h"

#include "core/json/json.h"
#include "core/base/text.h"
#include "spec/fuzz/fuzz.h"
#include <string.h>

enum { LEVELS = 4, BACKSLASHES_MAX = 16 };

/* ---- writing ---- */

typedef enum writer { PLAIN, SLASHES, NUMBERS, NUMBERS_ONLY } writer;

static bool is_escaped(char c, writer how) {
    bool is_letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c & 0x80) return false;
    if (how == NUMBERS_ONLY) return true;
    if (how == NUMBERS) return !is_letter;
    return c == '"' || c == '\\' || (how == SLASHES && c == '/');
}

static void write_once(cly_buffer *out, const char *text, size_t length, writer how, bool is_capital) {
    for (size_t i = 0; i < length; i++) {
        char escape[8] = {'\\', text[i], '\0'};
        if (how == NUMBERS || how == NUMBERS_ONLY)
            snprintf(escape, sizeof escape, is_capital ? "\\u%04X" : "\\u%04x", (unsigned char)text[i]);
        if (is_escaped(text[i], how))
            cly_buffer_text(out, escape);
        else
            cly_buffer_byte(out, text[i]);
    }
}

size_t spelling_write(char *out, size_t room, const char *key, uint32_t choice) {
    cly_buffer text, next;
    uint32_t depth = choice % (LEVELS + 1);
    size_t length;
    cly_buffer_init(&text, room);
    cly_buffer_init(&next, room);
    cly_buffer_text(&text, key);
    for (uint32_t level = 0; level < depth; level++) {
        /* The first writer alone may escape letters: they are no escape's yet. */
        bool is_first = level == 0;
        cly_buffer_reset(&next);
        choice = choice / 8 + choice * 1664525u;
        write_once(&next, text.data, text.length, (writer)(choice >> 8) % (is_first ? 4 : 3),
                   choice >> 16 & 1);
        cly_buffer_swap(&text, &next);
    }
    EXPECT(text.state == CLY_BUFFER_FINE, "room for a spelling");
    memcpy(out, text.data, length = text.length);
    cly_buffer_clear(&text);
    cly_buffer_clear(&next);
    return length;
}

/* ---- reading ---- */

/* A text, and which of its bytes an escape was read for. */
typedef struct marked {
    unsigned char *text;
    bool *is_made;
    size_t length;
} marked;

static size_t put_utf8(unsigned char *out, int32_t code) {
    static const int marks[] = {0, 0xC0, 0xE0, 0xF0};
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (int i = more; i >= 0; i--)
        out[more - i] =
            (unsigned char)((i == more ? marks[more] : 0x80) | (code >> 6 * i & (i == more ? 0x7F : 0x3F)));
    return (size_t)more + 1;
}

/* The number of a \u escape at `at`, or -1; not when its letters were made. */
static int32_t unit_at(const marked *read, size_t at) {
    if (at + 6 > read->length || read->text[at] != '\\' || read->text[at + 1] != 'u') return -1;
    for (size_t i = 1; i < 6; i++)
        if (read->is_made[at + i]) return -1;
    return cly_json_unit((const char *)read->text + at + 2, 4);
}

/* The character that an escape at `at` stands for, and its length; 0: none does. */
static size_t escape_at(const marked *read, size_t at, int32_t *code) {
    static const char letters[] = "\"\\/";
    int32_t pair;
    if (read->text[at] != '\\' || at + 1 >= read->length) return 0;
    *code = read->text[at + 1];
    if (*code && strchr(letters, (int)*code)) return 2;
    *code = unit_at(read, at);
    pair = *code < 0 ? -1 : cly_json_pair(*code, unit_at(read, at + 6));
    if (pair >= 0) *code = pair;
    if (*code < 0 || (pair < 0 && *code >= 0xD800 && *code <= 0xDFFF)) return 0;
    return pair >= 0 ? 12 : 6;
}

/* In place: no character is longer than its escape. What is no escape stays. */
static void read_once(marked *read) {
    size_t used = 0;
    for (size_t at = 0; at < read->length;) {
        int32_t code;
        size_t length = escape_at(read, at, &code), made = 1;
        if (length > 0)
            made = put_utf8(read->text + used, code);
        else
            read->text[used] = read->text[at];
        for (size_t i = 0; i < made; i++) read->is_made[used + i] = length > 0 || read->is_made[at];
        used += made;
        at += length > 0 ? length : 1;
    }
    read->length = used;
}

static bool holds(const marked *read, const char *key) {
    return memmem(read->text, read->length, key, strlen(key)) != NULL;
}

static bool has_many_backslashes(const marked *read) {
    size_t count = 0;
    for (size_t at = 0; at < read->length && count <= BACKSLASHES_MAX;) {
        bool is_number = unit_at(read, at) == '\\';
        count = read->text[at] == '\\' ? count + 1 : 0;
        at += is_number ? 6 : 1;
    }
    return count > BACKSLASHES_MAX;
}

bool spelling_is_in(const char *text, size_t length, const char *key) {
    marked read = {malloc(length + 1), calloc(length + 1, sizeof(bool)), length};
    bool is_found;
    EXPECT(read.text && read.is_made, "memory");
    memcpy(read.text, text, length);
    is_found = holds(&read, key);
    for (int level = 0; level < LEVELS && !is_found && !has_many_backslashes(&read); level++) {
        read_once(&read);
        is_found = holds(&read, key);
    }
    free(read.text);
    free(read.is_made);
    return is_found;
}
