/*
 * error.h - error objects: the kind, whether the message may have been sent, and a hint.
 *
 * A function that can fail returns a cly_kind (CLY_OK is 0) and takes a cly_error as its last argument.
 * The struct is plain and of fixed size, so that reporting "out of memory" needs no memory. The first
 * error wins: setting an error that is already set does nothing.
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
    CLY_NOT_SENT, /* the API did not accept it; a repetition cannot duplicate it */
    CLY_REFUSED,  /* "rejected": the API refused it */
    CLY_UNKNOWN   /* bytes of the request were sent, and no conclusive reply came */
} cly_outcome;

enum { CLY_PARAM_SIZE = 128, CLY_MESSAGE_SIZE = 384 };

typedef struct cly_error {
    cly_kind kind;
    cly_outcome outcome;
    int status;                 /* HTTP status of the last reply, 0 if there was none */
    int attempts;               /* number of attempts */
    double retry_after;         /* seconds that the server asked to wait; negative if it did not */
    const char *hint;           /* static text or NULL */
    bool is_permanent;          /* a retry cannot help until a setting is changed */
    char param[CLY_PARAM_SIZE]; /* path of the first invalid field, or "" */
    char message[CLY_MESSAGE_SIZE];
} cly_error;

void cly_error_clear(cly_error *error);

/* Sets kind, outcome and message unless an error is already set. Returns the kind that is set
 * afterwards. `error` may be NULL. */
cly_kind cly_error_set(cly_error *error, cly_kind kind, cly_outcome outcome, const char *format, ...)
    CLY_PRINTF(4, 5);

/* Sets an out-of-memory error: kind overloaded, outcome not_sent. */
cly_kind cly_error_no_memory(cly_error *error);

/* True when the same call may succeed later and a repetition cannot deliver the message twice. */
bool cly_error_is_retryable(const cly_error *error);

const char *cly_kind_name(cly_kind kind);
const char *cly_outcome_name(cly_outcome outcome);

/* The hint for a kind and outcome; static text or NULL. */
const char *cly_kind_hint(cly_kind kind, cly_outcome outcome);

typedef struct cly_error_code {
    const char *code, *meaning, *hint;
} cly_error_code;

/* Returns the documented codes in the API's order and stores their number in `*count`. */
const cly_error_code *cly_error_codes(size_t *count);

/* Returns the hint for the code, else the hint for the type, else NULL. Either argument may be NULL. */
const char *cly_code_hint(const char *code, const char *type);

CLY_PRIVATE_END

#endif
