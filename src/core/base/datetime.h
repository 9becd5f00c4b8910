/*
 * datetime.h - dates and times as the API takes them (ISO 8601, RFC 3339).
 */
#ifndef CLY_CORE_BASE_DATETIME_H
#define CLY_CORE_BASE_DATETIME_H

#include "core/base/visibility.h"
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

enum { CLY_DATETIME_SIZE = 32 };

/* A date, a time and its zone: 2026-12-01T15:00:00Z, 2026-12-01T15:00+01:00. It must
 * be in the calendar. Without a zone it could be anybody's hour. */
bool cly_is_datetime(const char *text, size_t length);

/* Unix seconds, fractions cut off, as such a text; false when the year is not one of
 * 1970 to 9999: what is in milliseconds is not. */
bool cly_datetime_write(char out[CLY_DATETIME_SIZE], double seconds);

CLY_PRIVATE_END

#endif
