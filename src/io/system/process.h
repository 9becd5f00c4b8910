/*
 * process.h - forks.
 *
 * After a fork the child has copies of handles, threads and connections that are the
 * parent's. Who holds such things keeps the generation in which they were made and
 * compares. That costs no system call: the C library tells of each fork. (A fork by the
 * bare system call goes unnoticed.)
 */
#ifndef CLY_IO_SYSTEM_PROCESS_H
#define CLY_IO_SYSTEM_PROCESS_H

#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Never 0, and another one in each child. */
long cly_process_generation(void);

/* Around what may hold a lock of another library. A fork by another thread waits, for half a
 * second at most, until every thread has left: in the child no thread would give that lock
 * back. */
void cly_process_enter(void);
void cly_process_leave(void);

CLY_PRIVATE_END

#endif
