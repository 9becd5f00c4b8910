#include "spec/core/memory_support.h"

#include <jansson.h>
#include <stdatomic.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

/* Several threads may allocate; only one at a time starves. */
static struct {
    _Atomic long before; /* allocations until the failure; negative: none is due */
    memory_manner manner;
    atomic_bool has_failed;
    _Atomic long live;
} memory = {-1, MEMORY_FAILS_ONCE, false, 0};

void memory_fail(long n, memory_manner manner) {
    memory.before = n;
    memory.manner = manner;
    memory.has_failed = false;
}

bool memory_restore(void) {
    memory.before = -1;
    return memory.has_failed;
}

long memory_live(void) {
    return memory.live;
}

/* Of one block. */
static struct {
    const void *block;
    size_t length;
    char bytes[64];
    atomic_bool is_freed;
} watched;

void memory_watch(const void *block, size_t length) {
    watched.is_freed = false;
    watched.length = length < sizeof watched.bytes ? length : sizeof watched.bytes;
    watched.block = block;
}

const char *memory_freed(void) {
    return watched.is_freed ? watched.bytes : NULL;
}

static void keep_watched(const void *block) {
    if (block == NULL || block != watched.block) return;
    memcpy(watched.bytes, block, watched.length);
    watched.block = NULL;
    watched.is_freed = true;
}

static bool fails_now(void) {
    if (memory.before < 0 || memory.before-- > 0) return false;
    memory.before = memory.manner == MEMORY_FAILS_ONCE ? -1 : 0;
    memory.has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size) {
    void *block = fails_now() ? NULL : __real_malloc(size);
    memory.live += block != NULL;
    return block;
}

void *__wrap_calloc(size_t count, size_t size) {
    void *block = fails_now() ? NULL : __real_calloc(count, size);
    memory.live += block != NULL;
    return block;
}

void *__wrap_realloc(void *block, size_t size) {
    void *moved = fails_now() ? NULL : __real_realloc(block, size);
    memory.live += block == NULL && moved != NULL;
    return moved;
}

void __wrap_free(void *block) {
    memory.live -= block != NULL;
    keep_watched(block);
    __real_free(block);
}

void *memory_resize(void *block, size_t size) {
    if (size > 0) return __wrap_realloc(block, size);
    __wrap_free(block);
    return NULL;
}

void memory_take_jansson(void) {
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}
