/*
 * retry_after.h - how long a reply asks to wait: seconds or an HTTP date (RFC 9110
 * section 10.2.3). libcurl's own reading of it cannot tell "0" from no such header.
 */
#ifndef CLY_CORE_CALL_RETRY_AFTER_H
#define CLY_CORE_CALL_RETRY_AFTER_H

#include "core/base/visibility.h"
#include <stddef.h>

CLY_PRIVATE_BEGIN

/* Seconds from now until an HTTP date, 0 for one that has passed; negative when the text
 * is no date. */
typedef double cly_seconds_until(const char *date);

/* Looks at one header line of a reply. Retry-After sets `seconds`, to a negative number
 * when its value is neither of the two; any other line, and one whose value is too long
 * for both, leaves it as it is. */
void cly_retry_after_read(double *seconds, const char *line, size_t length, cly_seconds_until *until);

CLY_PRIVATE_END

#endif
