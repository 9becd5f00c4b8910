#include "core/operation.h"

#include <string.h>

static const cly_operation operations[] = {
#define CLY_OPERATION(constant, name, method, path, shape, reply, limit, idempotent)           \
    {CLY_OPERATION_##constant, name,      method, path, &cly_shape_##shape, CLY_REPLY_##reply, \
     CLY_LIMIT_##limit,        idempotent},
#include "core/operations.def"
#undef CLY_OPERATION
};

static const cly_operation idempotent_request = {CLY_OPERATION_REQUEST, "request",      NULL,           NULL,
                                                 &cly_shape_request,    CLY_REPLY_BODY, CLY_LIMIT_NONE, true};

const cly_operation *cly_operation_find(const char *name, size_t length) {
    for (size_t i = 0; i < CLY_OPERATION_COUNT; i++)
        if (strlen(operations[i].name) == length && memcmp(operations[i].name, name, length) == 0)
            return &operations[i];
    return NULL;
}

const cly_operation *cly_operation_by_method(const cly_operation *operation, const char *method) {
    static const char *const methods[] = {"GET", "PUT", "DELETE"};
    if (operation->id != CLY_OPERATION_REQUEST) return operation;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0) return &idempotent_request;
    return operation;
}

const cly_operation *cly_operations(size_t *count) {
    *count = CLY_OPERATION_COUNT;
    return operations;
}
