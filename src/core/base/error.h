/*
 * error.h - what went wrong, whether the message may have gone, what to do.
 *
 * A function that can fail returns a cly_kind, CLY_OK (0) or another, and takes
 * a cly_error last. The struct is plain and of fixed size, so that reporting
 * "out of memory" needs no memory. The first error wins: setting one that is
 * set does nothing.
 */
#ifndef CLY_CORE_BASE_ERROR_H
#define CLY_CORE_BASE_ERROR_H

#include "core/base/visibility.h"
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

typedef enum cly_kind {
    CLY_OK = 0,
#define CLY_ERROR_KIND(constant, name, hint) CLY_##constant,
#include "core/base/error_kinds.def"
#undef CLY_ERROR_KIND
    CLY_KIND_COUNT
} cly_kind;

/* Whether the message may have reached the customer. */
typedef enum cly_outcome {
    CLY_NOT_SENT, /* never accepted; repeating it cannot double it */
    CLY_REFUSED,  /* "rejected": the API said no */
    CLY_UNKNOWN   /* bytes left and no conclusive answer came */
} cly_outcome;

enum { CLY_PARAM_SIZE = 128, CLY_MESSAGE_SIZE = 384 };

typedef struct cly_error {
    cly_kind kind;
    cly_outcome outcome;
    int status;                 /* HTTP status of the last reply, 0 if there was none */
    int attempts;               /* requests tried */
    double retry_after;         /* seconds the server asked for, negative if it did not */
    const char *hint;           /* static text or NULL */
    bool is_permanent;          /* it stays until a setting is changed: no repetition helps */
    char param[CLY_PARAM_SIZE]; /* path of the first bad field, or "" */
    char message[CLY_MESSAGE_SIZE];
} cly_error;

void cly_error_clear(cly_error *error);

/* Sets kind, outcome and message unless an error is set already; returns the
 * kind that is now set. `error` may be NULL. */
cly_kind cly_error_set(cly_error *error, cly_kind kind, cly_outcome outcome, const char *format, ...)
    CLY_PRINTF(4, 5);

/* A local lack of memory: kind overloaded, nothing was sent. */
cly_kind cly_error_no_memory(cly_error *error);

/* True when the same call may succeed later and cannot arrive twice. */
bool cly_error_is_retryable(const cly_error *error);

const char *cly_kind_name(cly_kind kind);
const char *cly_outcome_name(cly_outcome outcome);

/* What to do about a kind and outcome; static text or NULL. */
const char *cly_kind_hint(cly_kind kind, cly_outcome outcome);

typedef struct cly_error_code {
    const char *code, *meaning, *hint;
} cly_error_code;

/* The documented codes in the API's order; `*count` receives how many. */
const cly_error_code *cly_error_codes(size_t *count);

/* The hint for a code, else for a type, else NULL. Either may be NULL. */
const char *cly_code_hint(const char *code, const char *type);

CLY_PRIVATE_END

#endif
