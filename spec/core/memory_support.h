/*
 * memory_support.h - memory that runs out when a test says so.
 *
 * The tests are linked with --wrap, so that every allocation of ours goes
 * through here; jansson's, which stands in for a host in the tests, as well. The real allocator stands
 * behind it, so ASan and valgrind see all as usual.
 *
 *   for (long n = 0;; n++) {
 *       memory_fail(n, MEMORY_FAILS_ONCE);
 *       ...do it...
 *       if (!memory_restore()) break;    it went through: n was large enough
 *   }
 */
#ifndef CLY_SPEC_CORE_MEMORY_SUPPORT_H
#define CLY_SPEC_CORE_MEMORY_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum memory_manner { MEMORY_FAILS_ONCE, MEMORY_FAILS_FROM_THEN_ON } memory_manner;

/* The allocation after the next `n` fails, or that one and all that follow. */
void memory_fail(long n, memory_manner manner);

/* Ends it; true when an allocation did fail. */
bool memory_restore(void);

/* Allocations that were not freed. */
long memory_live(void);

/* Keeps what a block of at most 64 bytes holds when it is freed; as long as it was
 * not, memory_freed() is NULL. */
void memory_watch(const void *block, size_t length);
const char *memory_freed(void);

/* Sends jansson's allocations here; called before jansson made anything. */
void memory_take_jansson(void);

/* As realloc and free in one, counted as all: a size of 0 frees. */
void *memory_resize(void *block, size_t size);

/* What the linker puts in place of the C library's. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

#endif
