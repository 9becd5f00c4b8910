/*
 * lua_client.h - the class connectly.native.client: submit, step, result.
 */
#ifndef CLY_BINDING_CLIENT_LUA_CLIENT_H
#define CLY_BINDING_CLIENT_LUA_CLIENT_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Creates the class; leaves nothing on the stack. */
void clyL_open_client(lua_State *L);

/* new(options, encode) -> client, or nil and an error. `encode` is a function that returns a value's
 * JSON, or nil and the reason for a failure. */
int clyL_client_new(lua_State *L);

CLY_PRIVATE_END

#endif
