#include "core/operation.h"

#include <string.h>

static const cly_operation operations[] = {
#define CLY_OPERATION(constant, name, method, path, shape, reply, idempotent) \
    {CLY_OPERATION_##constant, name, method, path, &cly_shape_##shape, CLY_REPLY_##reply, idempotent},
#include "core/operations.def"
#undef CLY_OPERATION
};

const cly_operation *cly_operation_find(const char *name, size_t length) {
    for (size_t i = 0; i < CLY_OPERATION_COUNT; i++)
        if (strlen(operations[i].name) == length && memcmp(operations[i].name, name, length) == 0)
            return &operations[i];
    return NULL;
}

const cly_operation *cly_operations(size_t *count) {
    *count = CLY_OPERATION_COUNT;
    return operations;
}
