/*
 * datetime.h - dates and times in the API's format (ISO 8601, RFC 3339).
 */
#ifndef CLY_CORE_BASE_DATETIME_H
#define CLY_CORE_BASE_DATETIME_H

#include "core/base/visibility.h"
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

enum { CLY_DATETIME_SIZE = 32 };

/* Accepts a date, a time and a zone: 2026-12-01T15:00:00Z, 2026-12-01T15:00+01:00. The date must exist
 * in the calendar. The zone is mandatory: without it the time is ambiguous. */
bool cly_is_datetime(const char *text, size_t length);

/* Formats Unix seconds as such a text and drops fractions. Returns false unless the year is 1970 to
 * 9999, which rejects a time given in milliseconds. */
bool cly_datetime_write(char out[CLY_DATETIME_SIZE], double seconds);

CLY_PRIVATE_END

#endif
