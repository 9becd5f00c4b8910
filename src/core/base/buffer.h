/*
 * buffer.h - a growable byte buffer with a maximum size.
 *
 * Errors stick: once the buffer reaches its ceiling or memory runs out, every append is a no-op. A
 * writer of many small pieces therefore appends without checks and calls cly_buffer_check once, at the
 * end.
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
    char *data; /* owned; zero-terminated only after cly_buffer_terminate */
    size_t length;
    size_t capacity;
    size_t ceiling;
    cly_buffer_state state;
} cly_buffer;

/* Embed the struct; call init, then clear. init allocates nothing; the first append does. */
void cly_buffer_init(cly_buffer *buffer, size_t ceiling);
void cly_buffer_clear(cly_buffer *buffer);

/* Empties the buffer and resets its state, but keeps the memory for the next use. */
void cly_buffer_reset(cly_buffer *buffer);

/* Like cly_buffer_reset, but frees the memory when it is larger than CLY_BUFFER_KEEP, so that one large
 * message or reply does not hold memory for the rest of the client's life. */
enum { CLY_BUFFER_KEEP = 64 * 1024 };
void cly_buffer_trim(cly_buffer *buffer);

/* Slow path of cly_buffer_reserve: allocates the memory, or records the failure and returns NULL. */
char *cly_buffer_grow(cly_buffer *buffer, size_t more);

/* Makes room for `more` bytes and returns a pointer to them, or NULL. This function and the appends are
 * inline because a message takes about a hundred of them, and nearly all find enough capacity. */
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

/* Writes a zero byte after the last byte; `length` does not count it. Returns false on failure. */
bool cly_buffer_terminate(cly_buffer *buffer);

/* Swaps the contents of two buffers. */
void cly_buffer_swap(cly_buffer *a, cly_buffer *b);

/* Returns CLY_OK, or sets an error about `what` that describes the failure. */
cly_kind cly_buffer_check(const cly_buffer *buffer, const char *what, cly_error *error);

CLY_PRIVATE_END

#endif
