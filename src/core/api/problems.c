#include "core/api/problems.h"

#include "core/base/redact.h"
#include "core/base/text.h"
#include <stdarg.h>
#include <stdio.h>

enum { TEXT_CEILING = 64 * 1024, MESSAGE_SIZE = 320, NAME_SHOWN = 48 };

static void append_path(cly_buffer *out, const cly_path *path) {
    char piece[NAME_SHOWN + 4];
    if (path == NULL) return;
    append_path(out, path->parent);
    if (path->name) {
        if (path->parent) cly_buffer_byte(out, '.');
        cly_text_show(piece, NAME_SHOWN, path->name, path->length);
    } else {
        snprintf(piece, sizeof piece, "[%zu]", path->index);
    }
    cly_buffer_text(out, piece);
}

void cly_problems_init(cly_problems *problems) {
    memset(problems, 0, sizeof *problems);
    cly_buffer_init(&problems->text, TEXT_CEILING);
}

void cly_problems_clear(cly_problems *problems) {
    cly_buffer_clear(&problems->text);
    problems->count = problems->overflow = 0;
}

void cly_problems_reset(cly_problems *problems) {
    cly_buffer_reset(&problems->text);
    problems->count = problems->overflow = 0;
}

void cly_problem_add(cly_problems *problems, const cly_path *path, const char *format, ...) {
    char message[MESSAGE_SIZE];
    cly_problem problem;
    va_list arguments;
    if (problems->count == CLY_PROBLEM_MAX) {
        problems->overflow++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    problem.param = problems->text.length;
    append_path(&problems->text, path);
    cly_buffer_byte(&problems->text, '\0');
    problem.message = problems->text.length;
    cly_buffer_append(&problems->text, message, strlen(message) + 1);
    if (problems->text.state == CLY_BUFFER_FINE)
        problems->items[problems->count++] = problem;
    else
        problems->overflow++;
}

const char *cly_problem_param(const cly_problems *problems, size_t index) {
    return problems->text.data + problems->items[index].param;
}

const char *cly_problem_message(const cly_problems *problems, size_t index) {
    return problems->text.data + problems->items[index].message;
}

/* Insertion sort: there are only a few, and qsort takes no context argument in C11. */
void cly_problems_sort_from(cly_problems *problems, size_t first) {
    for (size_t i = first + 1; i < problems->count; i++) {
        cly_problem moving = problems->items[i];
        size_t at = i;
        const char *param = problems->text.data + moving.param;
        while (at > first && strcmp(cly_problem_param(problems, at - 1), param) > 0) {
            problems->items[at] = problems->items[at - 1];
            at--;
        }
        problems->items[at] = moving;
    }
}

enum { SECRET_MIN = 8 };

static void mask(char *text, const char *secret) {
    size_t length = strlen(text);
    (void)cly_redact(text, text, length, length, secret);
}

void cly_problems_mask(cly_problems *problems, cly_error *error, const char *secret) {
    if (secret == NULL || strlen(secret) < SECRET_MIN) return;
    for (size_t i = 0; i < problems->count; i++) {
        mask(problems->text.data + problems->items[i].param, secret);
        mask(problems->text.data + problems->items[i].message, secret);
    }
    mask(error->param, secret);
    mask(error->message, secret);
}

static cly_kind report(const cly_problems *problems, cly_kind kind, cly_error *error) {
    size_t others = problems->count + problems->overflow - 1;
    const char *param = cly_problem_param(problems, 0);
    char more[48] = "";
    if (error == NULL || error->kind != CLY_OK) return kind;
    if (others > 0) snprintf(more, sizeof more, " (and %zu more)", others);
    cly_error_set(error, kind, CLY_NOT_SENT, "%s%s%s%s", param, *param ? ": " : "",
                  cly_problem_message(problems, 0), more);
    snprintf(error->param, sizeof error->param, "%s", param);
    error->hint = cly_kind_hint(kind, CLY_NOT_SENT);
    return kind;
}

cly_kind cly_problems_check(const cly_problems *problems, cly_kind kind, cly_error *error) {
    if (problems->count > 0) return report(problems, kind, error);
    if (problems->overflow > 0) return cly_error_no_memory(error);
    return CLY_OK;
}
