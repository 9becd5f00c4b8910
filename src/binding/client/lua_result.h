/*
 * lua_result.h - the result of a call that has ended, as Lua values.
 */
#ifndef CLY_BINDING_CLIENT_LUA_RESULT_H
#define CLY_BINDING_CLIENT_LUA_RESULT_H

#include "binding/compat.h"
#include "io/call_table.h"

CLY_PRIVATE_BEGIN

/* Pushes id or body and info; or nil, error, info, and the body where it says what became of
 * the entries of campaigns. Returns the number of values. */
int clyL_push_result(lua_State *L, const cly_result *result);

/* Pushes nil and the error of a call whose record is gone: the client was closed, or the
 * process forked, while it was under way. Returns the number of values. */
int clyL_fail_gone(lua_State *L);

CLY_PRIVATE_END

#endif
