/*
 * problems.h - collects all problems of one message, each with its path.
 *
 * A path is a chain of frames on the C stack, from the innermost frame outwards. It becomes text, such
 * as cards[2].body[1], only when there is a problem to report. Text that the user supplied (an unknown
 * key) is shortened, and digits that may be a telephone number are hidden, because errors end up in
 * logs.
 */
#ifndef CLY_CORE_API_PROBLEMS_H
#define CLY_CORE_API_PROBLEMS_H

#include "core/base/buffer.h"

CLY_PRIVATE_BEGIN

typedef struct cly_path {
    const struct cly_path *parent; /* NULL at the top */
    const char *name;              /* if NULL, `index` is used */
    size_t length;
    size_t index; /* from 1, as in Lua */
} cly_path;

static inline cly_path cly_path_text(const cly_path *parent, const char *name, size_t length) {
    cly_path path = {parent, name, length, 0};
    return path;
}

static inline cly_path cly_path_name(const cly_path *parent, const char *name) {
    return cly_path_text(parent, name, strlen(name));
}

static inline cly_path cly_path_index(const cly_path *parent, size_t index) {
    cly_path path = {parent, NULL, 0, index};
    return path;
}

enum { CLY_PROBLEM_MAX = 100 };

typedef struct cly_problem {
    size_t param, message; /* offsets into the text, zero-terminated there */
} cly_problem;

typedef struct cly_problems {
    cly_buffer text;
    size_t count;    /* stored: at most CLY_PROBLEM_MAX */
    size_t overflow; /* further problems, not stored */
    cly_problem items[CLY_PROBLEM_MAX];
} cly_problems;

void cly_problems_init(cly_problems *problems);
void cly_problems_clear(cly_problems *problems);
void cly_problems_reset(cly_problems *problems);

/* Adds a problem. `path` may be NULL if it concerns the whole message. */
void cly_problem_add(cly_problems *problems, const cly_path *path, const char *format, ...) CLY_PRINTF(3, 4);

/* Sorts the problems from index `first` on by their paths, because the entries of a table come in no
 * particular order. */
void cly_problems_sort_from(cly_problems *problems, size_t first);

const char *cly_problem_param(const cly_problems *problems, size_t index);
const char *cly_problem_message(const cly_problems *problems, size_t index);

/* Masks the API key in the problems and in the error made from them, in case it was passed as a field
 * name. A key of fewer than 8 bytes is not masked, because it may be part of any word. */
void cly_problems_mask(cly_problems *problems, cly_error *error, const char *secret);

/* Returns CLY_OK, or sets an error of `kind` with the first problem and the number of the others. */
cly_kind cly_problems_check(const cly_problems *problems, cly_kind kind, cly_error *error);

CLY_PRIVATE_END

#endif
