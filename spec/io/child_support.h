/*
 * child_support.h - how a forked child of a test ends.
 */
#ifndef CLY_SPEC_IO_CHILD_SUPPORT_H
#define CLY_SPEC_IO_CHILD_SUPPORT_H

#include <sys/types.h>

/* In the child; 0 for a success. It ends without a good-bye: what it abandons it leaks,
 * and valgrind would say so. */
void child_end(int status);

/* In the parent: waits for a child that ends by `child_end(0)`. */
void child_await(pid_t child);

#endif
