#include "core/base/datetime.h"

#include <stdio.h>

typedef struct reader {
    const char *at, *end;
} reader;

static bool is_digit(const reader *of) {
    return of->at < of->end && *of->at >= '0' && *of->at <= '9';
}

/* Reads `count` digits and returns their value, or -1. */
static int read_digits(reader *of, int count) {
    int number = 0;
    for (; count > 0; count--) {
        if (!is_digit(of)) return -1;
        number = 10 * number + (*of->at++ - '0');
    }
    return number;
}

static bool skip(reader *of, const char *any) {
    if (of->at == of->end || (*of->at != any[0] && *of->at != any[1])) return false;
    of->at++;
    return true;
}

static bool is_within(int number, int low, int high) {
    return number >= low && number <= high;
}

static bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool read_date(reader *of) {
    int year = read_digits(of, 4), month, day;
    if (year < 0 || !skip(of, "--")) return false;
    month = read_digits(of, 2);
    if (!is_within(month, 1, 12) || !skip(of, "--")) return false;
    day = read_digits(of, 2);
    return is_within(day, 1, days_in(year, month));
}

/* RFC 3339, section 5.6: a second may be a leap second. */
static bool read_seconds(reader *of) {
    if (!skip(of, "::")) return true;
    if (!is_within(read_digits(of, 2), 0, 60)) return false;
    if (!skip(of, ".,")) return true;
    if (!is_digit(of)) return false;
    while (is_digit(of)) of->at++;
    return true;
}

static bool read_time(reader *of) {
    return is_within(read_digits(of, 2), 0, 23) && skip(of, "::") && is_within(read_digits(of, 2), 0, 59) &&
           read_seconds(of);
}

static bool read_zone(reader *of) {
    if (skip(of, "Zz")) return true;
    if (!skip(of, "+-") || !is_within(read_digits(of, 2), 0, 23)) return false;
    if (of->at == of->end) return true;
    skip(of, "::");
    return is_within(read_digits(of, 2), 0, 59);
}

bool cly_is_datetime(const char *text, size_t length) {
    reader of = {text, text + length};
    return read_date(&of) && skip(&of, "Tt") && read_time(&of) && read_zone(&of) && of.at == of.end;
}

bool cly_datetime_write(char out[CLY_DATETIME_SIZE], double seconds) {
    static const double past_9999 = 253402300800.0;
    int year = 1970, month = 1, days, rest;
    if (!(seconds >= 0 && seconds < past_9999)) return false;
    days = (int)(seconds / 86400);
    rest = (int)(seconds - 86400.0 * days);
    for (; days >= 365 + is_leap(year); year++) days -= 365 + is_leap(year);
    for (; days >= days_in(year, month); month++) days -= days_in(year, month);
    snprintf(out, CLY_DATETIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", year % 10000, month % 100,
             (days + 1) % 100, rest / 3600 % 100, rest / 60 % 60, rest % 60);
    return true;
}
