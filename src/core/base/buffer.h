/*
 * buffer.h - growing bytes that never pass a ceiling given at birth.
 *
 * Failure sticks: after the ceiling is reached or memory runs out, every append
 * does nothing, and the reason is asked for once, at the end. So a writer of
 * many small pieces needs no check between them.
 */
#ifndef CLY_CORE_BASE_BUFFER_H
#define CLY_CORE_BASE_BUFFER_H

#include "core/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

CLY_PRIVATE_BEGIN

typedef enum cly_buffer_state { CLY_BUFFER_FINE, CLY_BUFFER_FULL, CLY_BUFFER_NO_MEMORY } cly_buffer_state;

typedef struct cly_buffer {
    char *data; /* owned; not terminated by a zero unless cly_buffer_terminate was called */
    size_t length;
    size_t capacity;
    size_t ceiling;
    cly_buffer_state state;
} cly_buffer;

/* Embedded: init, then clear. Nothing is allocated before the first append. */
void cly_buffer_init(cly_buffer *buffer, size_t ceiling);
void cly_buffer_clear(cly_buffer *buffer);

/* Empties it and forgets a failure, and keeps the memory for the next use. */
void cly_buffer_reset(cly_buffer *buffer);

/* The same, and gives the memory back when it is more than CLY_BUFFER_KEEP: one
 * large message or reply must not be paid for until the end. */
enum { CLY_BUFFER_KEEP = 64 * 1024 };
void cly_buffer_trim(cly_buffer *buffer);

/* The slow way of cly_buffer_reserve: gets the memory, or notes why not. */
char *cly_buffer_grow(cly_buffer *buffer, size_t more);

/* Makes room for `more` bytes and returns where they go, or NULL. This and the
 * appends are inline: a message is a hundred of them, nearly all into room that
 * is there. */
static inline char *cly_buffer_reserve(cly_buffer *buffer, size_t more) {
    bool has_room =
        buffer->data && buffer->length <= buffer->capacity && more <= buffer->capacity - buffer->length;
    return has_room && buffer->state == CLY_BUFFER_FINE ? buffer->data + buffer->length
                                                        : cly_buffer_grow(buffer, more);
}

static inline void cly_buffer_append(cly_buffer *buffer, const void *bytes, size_t count) {
    char *place = count ? cly_buffer_reserve(buffer, count) : NULL;
    if (place == NULL) return;
    memcpy(place, bytes, count);
    buffer->length += count;
}

static inline void cly_buffer_byte(cly_buffer *buffer, char byte) {
    char *place = cly_buffer_reserve(buffer, 1);
    if (place == NULL) return;
    *place = byte;
    buffer->length++;
}

static inline void cly_buffer_text(cly_buffer *buffer, const char *text) {
    cly_buffer_append(buffer, text, strlen(text));
}

/* Puts a zero byte behind the last one, outside its length. False on failure. */
bool cly_buffer_terminate(cly_buffer *buffer);

/* The two change their contents with each other. */
void cly_buffer_swap(cly_buffer *a, cly_buffer *b);

/* CLY_OK, or the failure said as an error about `what`. */
cly_kind cly_buffer_check(const cly_buffer *buffer, const char *what, cly_error *error);

CLY_PRIVATE_END

#endif
