/*
 * sigpipe.h - keeps SIGPIPE from ending the program while libcurl writes.
 *
 * Up to 7.87 libcurl lets OpenSSL write to sockets, which raises SIGPIPE on a connection
 * that was reset. libcurl can ignore it meanwhile, but for the whole process; so it is
 * blocked here, for this thread. Later versions, and the worker, need nothing.
 */
#ifndef CLY_IO_SYSTEM_SIGPIPE_H
#define CLY_IO_SYSTEM_SIGPIPE_H

#include "core/base/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* Plain value, for one hold and one release in one thread. */
typedef struct cly_sigpipe {
    bool is_held;
} cly_sigpipe;

/* Does nothing where SIGPIPE is blocked already, or was raised before. */
cly_sigpipe cly_sigpipe_hold(bool is_needed);
void cly_sigpipe_release(cly_sigpipe held);

CLY_PRIVATE_END

#endif
