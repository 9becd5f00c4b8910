/*
 * reset.h - ends a connection as a machine does that crashed: by RST, in place of FIN.
 * For the sandbox, whose sockets are another library's.
 */
#ifndef CLY_IO_RESET_H
#define CLY_IO_RESET_H

#include "core/visibility.h"
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* What was not sent is dropped. The descriptor stays open and is its owner's to close.
 * False where it is not a TCP socket, or not connected. */
bool cly_reset_connection(int descriptor);

CLY_PRIVATE_END

#endif
