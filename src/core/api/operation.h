/*
 * operation.h - operations.def as data: every endpoint.
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
    const char *method; /* NULL: the message says */
    const char *path;   /* behind the business; NULL: the message says */
    const cly_shape *shape;
    cly_reply reply;
    cly_limit limit;
    bool is_idempotent;
} cly_operation;

/* By its Lua name, or NULL. The result is static. */
const cly_operation *cly_operation_find(const char *name, size_t length);

/* The same operation; or the way out as what it is used for: one that may be repeated
 * when its method says so (RFC 9110 section 9.2.2), and one that counts for the assets'
 * limit when its path is theirs. The result is static. */
const cly_operation *cly_operation_by_request(const cly_operation *operation, const char *method,
                                              const char *path);

/* All of them; `*count` receives how many. */
const cly_operation *cly_operations(size_t *count);

CLY_PRIVATE_END

#endif
