/*
 * lua_class.h - how every class of the module is made.
 */
#ifndef CLY_BINDING_LUA_CLASS_H
#define CLY_BINDING_LUA_CLASS_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Makes the metatable `name`: methods in an __index of their own, each with the metatable
 * as its upvalue, and __name. Leaves nothing on the stack. */
void clyL_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* The first argument, of class `name`, or an error as luaL_checkudata's. In a method it
 * needs no look into the registry. */
void *clyL_check_self(lua_State *L, const char *name);

CLY_PRIVATE_END

#endif
