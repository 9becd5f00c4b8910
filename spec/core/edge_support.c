#define _GNU_SOURCE
#include "spec/core/edge_support.h"

#include "spec/core/test.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 2 * 1024 * 1024 };

/* The first byte that cannot be read. */
static char *find_edge(void) {
    static char *edge = NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *room;
    if (edge) return edge;
    room = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(room != MAP_FAILED);
    assert_int_equal(mprotect(room + ROOM, page, PROT_NONE), 0);
    edge = room + ROOM;
    return edge;
}

const char *edge_copy(const char *bytes, size_t length) {
    char *place = find_edge() - length;
    assert_true(length <= ROOM);
    if (length > 0) memcpy(place, bytes, length);
    return place;
}
