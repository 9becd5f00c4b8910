/*
 * operation.h - operations.def as data: all endpoints.
 */
#ifndef CLY_CORE_API_OPERATION_H
#define CLY_CORE_API_OPERATION_H

#include "core/api/schema.h"
#include <stdbool.h>
#include <stddef.h>

CLY_PRIVATE_BEGIN

typedef enum cly_reply { CLY_REPLY_ID, CLY_REPLY_BODY, CLY_REPLY_CAMPAIGNS } cly_reply;

typedef enum cly_limit { CLY_LIMIT_NONE, CLY_LIMIT_ASSETS } cly_limit;

typedef enum cly_operation_id {
#define CLY_OPERATION(constant, name, method, path, shape, reply, limit, idempotent) CLY_OPERATION_##constant,
#include "core/api/operations.def"
#undef CLY_OPERATION
    CLY_OPERATION_COUNT
} cly_operation_id;

typedef struct cly_operation {
    cly_operation_id id;
    const char *name;
    const char *method; /* NULL: given by the message */
    const char *path;   /* appended to the business's URL; NULL: given by the message */
    const cly_shape *shape;
    cly_reply reply;
    cly_limit limit;
    bool is_idempotent;
} cly_operation;

/* Finds an operation by its Lua name, or returns NULL. The result is static. */
const cly_operation *cly_operation_find(const char *name, size_t length);

/* Returns `operation`, or for client:request the variant that fits: idempotent if its method is (RFC
 * 9110 section 9.2.2), and subject to the assets' limit if its path is one of theirs. The result is
 * static. */
const cly_operation *cly_operation_by_request(const cly_operation *operation, const char *method,
                                              const char *path);

/* Returns all operations and stores their number in `*count`. */
const cly_operation *cly_operations(size_t *count);

CLY_PRIVATE_END

#endif
