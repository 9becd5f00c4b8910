/*
 * edge_support.h - bytes that end where the readable memory ends.
 *
 * A parser that looks one byte too far is killed on the spot, with or without
 * a sanitizer.
 */
#ifndef CLY_SPEC_CORE_EDGE_SUPPORT_H
#define CLY_SPEC_CORE_EDGE_SUPPORT_H

#include <stddef.h>

/* A copy of at most 2 MiB, behind which comes an unreadable page; good until
 * the next call. */
const char *edge_copy(const char *bytes, size_t length);

#endif
