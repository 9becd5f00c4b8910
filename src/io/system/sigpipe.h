/*
 * sigpipe.h - keeps SIGPIPE from ending the program while libcurl writes.
 *
 * Up to 7.87 libcurl lets OpenSSL write to sockets, which raises SIGPIPE on a connection that was
 * reset. libcurl itself can only ignore the signal for the whole process; this module blocks it for the
 * calling thread. Later versions do not need it, nor does the worker, which blocks all signals.
 */
#ifndef CLY_IO_SYSTEM_SIGPIPE_H
#define CLY_IO_SYSTEM_SIGPIPE_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* A plain value, for one hold and one release in the same thread. */
typedef struct cly_sigpipe {
    bool is_held;
} cly_sigpipe;

/* Does nothing if SIGPIPE is already blocked or pending. */
cly_sigpipe cly_sigpipe_hold(bool is_needed);
void cly_sigpipe_release(cly_sigpipe held);

CLY_PRIVATE_END

#endif
