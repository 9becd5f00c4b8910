/*
 * retry_after.h - parses Retry-After: seconds or an HTTP date (RFC 9110 section 10.2.3). libcurl's own
 * parser does not distinguish "0" from a missing header.
 */
#ifndef CLY_CORE_CALL_RETRY_AFTER_H
#define CLY_CORE_CALL_RETRY_AFTER_H

#include "core/base/visibility.h"
#include <stddef.h>

CLY_PRIVATE_BEGIN

/* Returns the seconds from now until an HTTP date, 0 for a past date, or a negative number if the text
 * is not a date. */
typedef double cly_seconds_until(const char *date);

/* Parses one header line of a reply. Retry-After sets `seconds`, to a negative number if its value is
 * neither form. Other lines, and values longer than either form, leave `seconds` unchanged. */
void cly_retry_after_read(double *seconds, const char *line, size_t length, cly_seconds_until *until);

CLY_PRIVATE_END

#endif
