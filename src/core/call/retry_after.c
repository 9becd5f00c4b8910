#include "core/call/retry_after.h"

#include "core/base/text.h"
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 64 };

static double read_value(const char *value, cly_seconds_until *until) {
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || value[digits] != '\0') return until(value);
    return digits > 9 ? 1e9 : (double)strtol(value, NULL, 10);
}

void cly_retry_after_read(double *seconds, const char *line, size_t length, cly_seconds_until *until) {
    static const char name[] = "retry-after:";
    char value[VALUE_MAX + 1];
    size_t from = sizeof name - 1, to = length;
    if (!cly_starts_with(line, length, name)) return;
    while (from < to && strchr(" \t", line[from])) from++;
    while (to > from && strchr(" \t\r\n", line[to - 1])) to--;
    if (to - from > VALUE_MAX) return;
    memcpy(value, line + from, to - from);
    value[to - from] = '\0';
    *seconds = read_value(value, until);
}
