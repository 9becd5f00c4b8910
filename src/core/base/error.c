#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[CLY_KIND_COUNT] = {
    "ok",
#define CLY_ERROR_KIND(constant, name, hint) name,
#include "core/base/error_kinds.def"
#undef CLY_ERROR_KIND
};

static const char *const kind_hints[CLY_KIND_COUNT] = {
    NULL,
#define CLY_ERROR_KIND(constant, name, hint) hint,
#include "core/base/error_kinds.def"
#undef CLY_ERROR_KIND
};

static const cly_error_code codes[] = {
#define CLY_ERROR_CODE(code, meaning, hint) {code, meaning, hint},
#include "core/base/error_codes.def"
#undef CLY_ERROR_CODE
};

enum { CODE_COUNT = sizeof codes / sizeof codes[0] };

void cly_error_clear(cly_error *error) {
    memset(error, 0, offsetof(cly_error, param));
    error->param[0] = error->message[0] = '\0'; /* the remaining bytes are never read */
    error->retry_after = -1;
}

cly_kind cly_error_set(cly_error *error, cly_kind kind, cly_outcome outcome, const char *format, ...) {
    va_list arguments;
    if (error == NULL) return kind;
    if (error->kind != CLY_OK) return error->kind;
    error->kind = kind;
    error->outcome = outcome;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return kind;
}

cly_kind cly_error_no_memory(cly_error *error) {
    return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "not enough memory");
}

bool cly_error_is_retryable(const cly_error *error) {
    if (error->outcome != CLY_NOT_SENT || error->is_permanent) return false;
    switch (error->kind) {
    case CLY_NETWORK:
    case CLY_TIMEOUT:
    case CLY_RATE_LIMITED:
    case CLY_CANCELED:
    case CLY_OVERLOADED: return true;
    default: return false;
    }
}

const char *cly_kind_name(cly_kind kind) {
    return (unsigned)kind < CLY_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *cly_outcome_name(cly_outcome outcome) {
    switch (outcome) {
    case CLY_NOT_SENT: return "not_sent";
    case CLY_REFUSED: return "rejected";
    default: return "unknown";
    }
}

const char *cly_kind_hint(cly_kind kind, cly_outcome outcome) {
    if ((unsigned)kind < CLY_KIND_COUNT && kind_hints[kind]) return kind_hints[kind];
    if (outcome == CLY_UNKNOWN)
        return "it may have arrived: look for its delivery status before sending it again";
    if (outcome == CLY_NOT_SENT) return "nothing was sent: it is safe to repeat";
    return NULL;
}

const cly_error_code *cly_error_codes(size_t *count) {
    *count = CODE_COUNT;
    return codes;
}

const char *cly_code_hint(const char *code, const char *type) {
    for (size_t i = 0; code && i < CODE_COUNT; i++)
        if (strcmp(codes[i].code, code) == 0) return codes[i].hint;
    /* Despite its name, this type means that the 24-hour window has closed. */
    if (type && strcmp(type, "ERROR_TYPE_DEADLINE_EXCEEDED") == 0) return "send a template instead";
    return NULL;
}
