#include "core/base/text.h"

#include <stdint.h>
#include <stdlib.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_alphanumeric(char c) {
    return is_digit(c) || is_upper(c) || is_lower(c);
}

static inline bool all(bool (*is)(char), const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!is(text[i])) return false;
    return true;
}

size_t cly_utf8_sequence(const unsigned char *at, size_t left) {
    unsigned char low = 0x80, high = 0xBF;
    size_t count;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        count = 2;
    else if (at[0] >= 0xE0 && at[0] <= 0xEF)
        count = 3;
    else if (at[0] >= 0xF0 && at[0] <= 0xF4)
        count = 4;
    else
        return 0;
    if (at[0] == 0xE0) low = 0xA0;  /* overlong forms */
    if (at[0] == 0xED) high = 0x9F; /* surrogates */
    if (at[0] == 0xF0) low = 0x90;
    if (at[0] == 0xF4) high = 0x8F; /* above U+10FFFF */
    if (left < count || at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < count; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return count;
}

bool cly_is_utf8(const char *text, size_t length) {
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t at = 0; at < length;) {
        size_t count = bytes[at] < 0x80 ? 1 : cly_utf8_sequence(bytes + at, length - at);
        if (count == 0) return false;
        at += count;
    }
    return true;
}

bool cly_is_e164(const char *text, size_t length) {
    return length >= 3 && length <= 16 && text[0] == '+' && text[1] != '0' &&
           all(is_digit, text + 1, length - 1);
}

bool cly_is_bsuid(const char *text, size_t length) {
    return length >= 4 && length <= 131 && all(is_upper, text, 2) && text[2] == '.' &&
           all(is_alphanumeric, text + 3, length - 3);
}

bool cly_is_language(const char *text, size_t length) {
    size_t letters = 0;
    while (letters < length && is_lower(text[letters])) letters++;
    if (letters < 2 || letters > 3) return false;
    if (letters == length) return true;
    return length == letters + 3 && text[letters] == '_' && all(is_upper, text + letters + 1, 2);
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool cly_is_traceparent(const char *text, size_t length) {
    return length == 55 && all(is_hex, text, 2) && text[2] == '-' && all(is_hex, text + 3, 32) &&
           text[35] == '-' && all(is_hex, text + 36, 16) && text[52] == '-' && all(is_hex, text + 53, 2);
}

bool cly_starts_with(const char *text, size_t length, const char *prefix) {
    size_t i = 0;
    for (; prefix[i]; i++) {
        char c = i < length ? text[i] : '\0';
        if ((is_upper(c) ? c + 'a' - 'A' : c) != prefix[i]) return false;
    }
    return true;
}

/* True if one of the eight bytes is below 0x21, is 0x7f or is not ASCII. */
static bool may_be_blank(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    return ((word | (word - ones * 0x21) | (word + ones)) & highs) != 0;
}

/* True if there is a byte below 0x21, or 0x7f. Checks eight bytes at a time. */
static bool has_blank(const char *text, size_t length) {
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        if (may_be_blank(word)) break;
    }
    for (; at < length; at++)
        if ((unsigned char)text[at] <= ' ' || text[at] == 0x7f) return true;
    return false;
}

bool cly_is_url(const char *text, size_t length) {
    size_t scheme = 0;
    if (cly_starts_with(text, length, "https://")) scheme = 8;
    if (cly_starts_with(text, length, "http://")) scheme = 7;
    if (scheme == 0 || length == scheme || strchr("/?#", text[scheme])) return false;
    return !has_blank(text, length);
}

bool cly_has_control(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return true;
    return false;
}

/* Returns the length of the run of digits at `text`. */
static size_t digits(const char *text, size_t length) {
    size_t count = 0;
    while (count < length && is_digit(text[count])) count++;
    return count;
}

enum { GAP_MAX = 3, DIGITS_TOGETHER = 7, DIGITS_APART = 9, DIGITS_WITH_PLUS = 8 };

/* Separators that occur inside telephone numbers, Unicode dashes included. */
static bool parts_digits(char c) {
    return (c && strchr(" -./()", c)) || (c & 0x80);
}

/* Returns the length of the number at `text`, with or without separators between its digits, or 0.
 * `*count` receives the number of digits. */
static size_t number(const char *text, size_t length, size_t *count) {
    size_t end = 0;
    *count = 0;
    for (size_t at = 0; at < length && at - end <= GAP_MAX; at++) {
        if (is_digit(text[at])) {
            end = at + 1;
            ++*count;
        } else if (*count == 0 || !parts_digits(text[at])) {
            break;
        }
    }
    return end;
}

/* Returns the length of a possible telephone number, or 0. Eight digits with separators may be a date. */
static size_t telephone_number(const char *text, size_t length) {
    size_t count, apart = number(text, length, &count), together = digits(text, apart);
    if (count >= DIGITS_APART) return apart;
    return together >= DIGITS_TOGETHER ? together : 0;
}

static size_t number_after_plus(const char *text, size_t length) {
    size_t count, run = number(text, length, &count);
    return count >= DIGITS_WITH_PLUS ? run : 0;
}

static size_t bare_number(const char *text, size_t length, size_t least) {
    size_t run = least > 0 ? digits(text, length) : 0;
    return run >= least ? run : 0;
}

void cly_text_hide_numbers(char *text, size_t bare) {
    size_t length = strlen(text), used = 0;
    for (size_t at = 0; at < length;) {
        bool has_plus = at > 0 && text[at - 1] == '+'; /* text[at - 1] has not been overwritten yet */
        size_t run =
            has_plus ? number_after_plus(text + at, length - at) : bare_number(text + at, length - at, bare);
        text[used++] = run > 0 ? '#' : text[at];
        at += run > 0 ? run : 1;
    }
    text[used] = '\0';
}

void cly_text_show(char *out, size_t room, const char *text, size_t length) {
    size_t used = 0, at = 0;
    while (at < length && used + 1 < room) {
        size_t run = telephone_number(text + at, length - at);
        bool is_hidden = run > 0;
        char c = (unsigned char)text[at] < 0x20 || text[at] == 0x7f ? '?' : text[at];
        out[used++] = is_hidden ? '#' : c;
        at += is_hidden ? run : 1;
    }
    /* Never end inside a UTF-8 sequence. */
    if (at < length)
        while (used > 0 && (text[at] & 0xC0) == 0x80) used--, at--;
    out[used] = '\0';
}

enum { DISTANCE_MAX = 48 };

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment; keeps three rows. */
size_t cly_text_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][DISTANCE_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    if (a_length > DISTANCE_MAX || b_length > DISTANCE_MAX) return (size_t)-1;
    for (size_t j = 0; j <= b_length; j++) above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *spare = before;
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            bool is_same = a[i - 1] == b[j - 1];
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + !is_same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smallest(row[j], before[j - 2] + 1, row[j]);
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

void cly_percent_encode(cly_buffer *out, const char *text, size_t length) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (is_alphanumeric(text[i]) || (byte && strchr("-._~", text[i]))) {
            cly_buffer_byte(out, text[i]);
        } else {
            char triple[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            cly_buffer_append(out, triple, sizeof triple);
        }
    }
}

/* Crockford's base 32: no I, L, O, U. */
static int ulid_digit(char c) {
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const char *place;
    if (is_lower(c)) c = (char)(c + 'A' - 'a');
    place = c ? strchr(alphabet, c) : NULL;
    return place ? (int)(place - alphabet) : -1;
}

double cly_ulid_time_ms(const char *text, size_t length) {
    double time_ms = 0;
    if (length != 26 || text[0] < '0' || text[0] > '7') return -1;
    for (size_t i = 0; i < length; i++) {
        int digit = ulid_digit(text[i]);
        if (digit < 0) return -1;
        if (i < 10) time_ms = time_ms * 32 + digit;
    }
    return time_ms;
}

char *cly_text_copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}
