#include "core/api/operation.h"

#include <string.h>

static const cly_operation operations[] = {
#define CLY_OPERATION(constant, name, method, path, shape, reply, limit, idempotent)           \
    {CLY_OPERATION_##constant, name,      method, path, &cly_shape_##shape, CLY_REPLY_##reply, \
     CLY_LIMIT_##limit,        idempotent},
#include "core/api/operations.def"
#undef CLY_OPERATION
};

/* The variants of client:request, by limit and idempotency. */
#define REQUEST(limit, idempotent) \
    { CLY_OPERATION_REQUEST, "request", NULL, NULL, &cly_shape_request, CLY_REPLY_BODY, limit, idempotent }
static const cly_operation requests[2][2] = {
    {REQUEST(CLY_LIMIT_NONE, false), REQUEST(CLY_LIMIT_NONE, true)},
    {REQUEST(CLY_LIMIT_ASSETS, false), REQUEST(CLY_LIMIT_ASSETS, true)},
};
#undef REQUEST

const cly_operation *cly_operation_find(const char *name, size_t length) {
    for (size_t i = 0; i < CLY_OPERATION_COUNT; i++)
        if (strlen(operations[i].name) == length && memcmp(operations[i].name, name, length) == 0)
            return &operations[i];
    return NULL;
}

static bool is_idempotent(const char *method) {
    return strcmp(method, "GET") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

static bool is_of_assets(const char *path) {
    static const char assets[] = "/assets";
    char next = strncmp(path, assets, sizeof assets - 1) == 0 ? path[sizeof assets - 1] : 'x';
    return next == '\0' || next == '/' || next == '?';
}

const cly_operation *cly_operation_by_request(const cly_operation *operation, const char *method,
                                              const char *path) {
    if (operation->id != CLY_OPERATION_REQUEST) return operation;
    return &requests[is_of_assets(path)][is_idempotent(method)];
}

const cly_operation *cly_operations(size_t *count) {
    *count = CLY_OPERATION_COUNT;
    return operations;
}
