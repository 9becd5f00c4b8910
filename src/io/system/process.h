/*
 * process.h - detects and delays forks.
 *
 * After a fork the child has copies of handles and connections that belong to the parent, and none of
 * its threads. The owner of such an object stores the generation in which it was made and compares it
 * with the current one. That costs no system call: the C library reports each fork (pthread_atfork). A
 * fork by the bare system call goes unnoticed.
 */
#ifndef CLY_IO_SYSTEM_PROCESS_H
#define CLY_IO_SYSTEM_PROCESS_H

#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Never 0, and different in each child. */
long cly_process_generation(void);

/* Call these around code that may hold a lock of another library. A fork by another thread waits until
 * every thread has left, for half a second at most: in the child, no thread would release that
 * lock. */
void cly_process_enter(void);
void cly_process_leave(void);

CLY_PRIVATE_END

#endif
