/*
 * process.h - is this still the process that made it?
 *
 * After a fork the child has copies of handles, threads and connections that are
 * the parent's. Everybody who holds such things keeps the generation in which he
 * made them and compares. Asking costs no system call: the C library tells of
 * each fork. (What forks by the bare system call goes unnoticed.)
 */
#ifndef CLY_IO_PROCESS_H
#define CLY_IO_PROCESS_H

#include "core/visibility.h"

CLY_PRIVATE_BEGIN

/* Never 0, and another one in each child. */
long cly_process_generation(void);

CLY_PRIVATE_END

#endif
