/*
 * pin.h - keeps the module in memory until the process ends.
 *
 * Lua unloads C modules when a state is closed. A thread of libcurl's resolver
 * may then still be asking (a call that ran out of time does not wait for it),
 * and OpenSSL has registered what it does at exit. `make` links the module so
 * that it stays; LuaRocks' builtin build takes no linker flags, so it is asked
 * for here as well.
 */
#ifndef CLY_IO_PIN_H
#define CLY_IO_PIN_H

#include "core/visibility.h"

CLY_PRIVATE_BEGIN

void cly_pin_module(void);

CLY_PRIVATE_END

#endif
