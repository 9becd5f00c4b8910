#include "core/base/redact.h"

#include "core/json/json.h"
#include "core/base/text.h"
#include <string.h>

enum {
    BACKSLASHES_MAX = 16,
    ESCAPE_MAX = 12,    /* length of an escaped surrogate pair */
    BROKEN_OFF_MIN = 8, /* fewer characters may match by chance, and reveal little */
    NOT_UTF8 = 0x110000 /* added to a byte that is not part of a UTF-8 character */
};

/* Returns the length of a backslash written as \u005c, or 0. In a run, the second and later ones may
 * lack their leading backslash: the backslash before them, itself written as \u005c by another encoder,
 * takes its place. */
static size_t backslash_number(const char *text, size_t length, bool is_first) {
    size_t mark = *text == '\\' ? 1 : 0;
    if ((is_first && mark == 0) || length < mark + 5 || text[mark] != 'u') return 0;
    return cly_json_unit(text + mark + 1, length - mark - 1) == '\\' ? mark + 5 : 0;
}

/* Returns the length of the run of backslashes at the beginning, \u005c included. */
static size_t skip_backslashes(const char *text, size_t length) {
    size_t at = 0;
    for (int i = 0; i < BACKSLASHES_MAX && at < length; i++) {
        size_t count = backslash_number(text + at, length - at, at == 0);
        if (count == 0 && text[at] != '\\') break;
        at += count > 0 ? count : 1;
    }
    return at;
}

static int32_t decode(const unsigned char *bytes, size_t count) {
    int32_t code = bytes[0] & (0xFF >> (count + 1));
    for (size_t i = 1; i < count; i++) code = code * 64 + (bytes[i] & 0x3F);
    return code;
}

static size_t read_plain(const char *text, size_t length, int32_t *code) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t count = bytes[0] < 0x80 ? 0 : cly_utf8_sequence(bytes, length);
    *code = bytes[0] < 0x80 ? bytes[0] : NOT_UTF8 + bytes[0];
    if (count == 0) return 1;
    *code = decode(bytes, count);
    return count;
}

/* Reads one UTF-16 unit or plain character and returns its length, or 0 if only backslashes are left. */
static size_t read_half(const char *text, size_t length, int32_t *code) {
    size_t at = skip_backslashes(text, length);
    if (at == length) return 0;
    if (at > 0 && text[at] == 'u') {
        *code = cly_json_unit(text + at + 1, length - at - 1);
        if (*code >= 0) return at + 5;
    }
    return at + read_plain(text + at, length - at, code);
}

/* The same, but combines two escapes that form a surrogate pair. */
static size_t read_character(const char *text, size_t length, int32_t *code) {
    size_t count = read_half(text, length, code), more;
    int32_t low;
    if (count == 0 || *code < 0xD800 || *code > 0xDBFF) return count;
    more = read_half(text + count, length - count, &low);
    if (more == 0 || cly_json_pair(*code, low) < 0) return count;
    *code = cly_json_pair(*code, low);
    return count + more;
}

/* The text may be cut off inside the escape that encodes the next character. */
static bool is_broken_off(const char *rest, size_t left, int matched) {
    return matched >= BROKEN_OFF_MIN && (left == 0 || (*rest == '\\' && left < ESCAPE_MAX));
}

/* Compares character by character. */
static size_t compare(const char *text, size_t length, const char *secret, size_t secret_length) {
    size_t at = 0, secret_at = 0;
    for (int matched = 0;; matched++) {
        int32_t code, wanted;
        size_t count, step = read_character(secret + secret_at, secret_length - secret_at, &wanted);
        if (step == 0) return matched > 0 ? at : 0;
        count = read_character(text + at, length - at, &code);
        if (count == 0 || code != wanted) return is_broken_off(text + at, length - at, matched) ? length : 0;
        at += count;
        secret_at += step;
    }
}

/* Returns the length of a spelling of the secret at the beginning of the text, or 0. */
static size_t spelling(const char *text, size_t length, const char *secret, size_t secret_length) {
    if (secret_length == 0) return 0;
    /* Shortcut: most bytes cannot begin a spelling. */
    if (*text != '\\' && *text != *secret && *secret != '\\') return 0;
    /* This also finds secrets that themselves look like escapes. */
    if (length >= secret_length && memcmp(text, secret, secret_length) == 0) return secret_length;
    return compare(text, length, secret, secret_length);
}

/* Returns the number of leading bytes at which no spelling can begin. */
static size_t skip_harmless(const char *text, size_t length, const char *secret) {
    size_t count = 0;
    if (secret == NULL || *secret == '\0') return length;
    if (*secret == '\\') return 0;
    while (count < length && text[count] != '\\' && text[count] != *secret) count++;
    return count;
}

bool cly_redact(char *out, const char *text, size_t length, size_t shown, const char *secret) {
    size_t secret_length = secret ? strlen(secret) : 0;
    bool is_masked = false;
    for (size_t at = 0; at < shown;) {
        size_t count = skip_harmless(text + at, shown - at, secret), match;
        memmove(out + at, text + at, count);
        at += count;
        if (at == shown) break;
        match = spelling(text + at, length - at, secret, secret_length);
        count = match > shown - at ? shown - at : match;
        is_masked = is_masked || match > 0;
        memset(out + at, '*', count);
        if (match == 0) out[at] = text[at];
        at += match == 0 ? 1 : count;
    }
    return is_masked;
}

void cly_wipe(void *bytes, size_t length) {
    volatile char *at = bytes;
    while (length-- > 0) *at++ = '\0';
}

void cly_wipe_text(char *text) {
    if (text) cly_wipe(text, strlen(text));
}
