#include "core/base/buffer.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void cly_buffer_init(cly_buffer *buffer, size_t ceiling) {
    memset(buffer, 0, sizeof *buffer);
    buffer->ceiling = ceiling;
}

void cly_buffer_clear(cly_buffer *buffer) {
    free(buffer->data);
    cly_buffer_init(buffer, buffer->ceiling);
}

void cly_buffer_reset(cly_buffer *buffer) {
    buffer->length = 0;
    buffer->state = CLY_BUFFER_FINE;
}

void cly_buffer_trim(cly_buffer *buffer) {
    if (buffer->capacity > CLY_BUFFER_KEEP)
        cly_buffer_clear(buffer);
    else
        cly_buffer_reset(buffer);
}

static bool grow(cly_buffer *buffer, size_t needed) {
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    char *data;
    while (capacity < needed) capacity *= 2;
    /* A capacity never exceeds the ceiling, so cly_buffer_reserve checks only the capacity. */
    if (capacity > buffer->ceiling) capacity = buffer->ceiling;
    data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->state = CLY_BUFFER_NO_MEMORY;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

char *cly_buffer_grow(cly_buffer *buffer, size_t more) {
    if (buffer->state != CLY_BUFFER_FINE) return NULL;
    /* A length beyond the capacity was set by mistake: those bytes do not exist. */
    if (buffer->length > buffer->capacity || more > buffer->ceiling - buffer->length) {
        buffer->state = CLY_BUFFER_FULL;
        return NULL;
    }
    if (buffer->length + more > buffer->capacity && !grow(buffer, buffer->length + more)) return NULL;
    return buffer->data + buffer->length;
}

bool cly_buffer_terminate(cly_buffer *buffer) {
    char *place = cly_buffer_reserve(buffer, 1);
    if (place == NULL) return false;
    *place = '\0';
    return true;
}

void cly_buffer_swap(cly_buffer *a, cly_buffer *b) {
    cly_buffer keep = *a;
    *a = *b;
    *b = keep;
}

cly_kind cly_buffer_check(const cly_buffer *buffer, const char *what, cly_error *error) {
    switch (buffer->state) {
    case CLY_BUFFER_FINE: return CLY_OK;
    case CLY_BUFFER_FULL:
        return cly_error_set(error, CLY_ARGUMENT, CLY_NOT_SENT, "%s: larger than %zu bytes", what,
                             buffer->ceiling);
    default: return cly_error_no_memory(error);
    }
}
