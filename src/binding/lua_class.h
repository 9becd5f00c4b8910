/*
 * lua_class.h - creates the classes of the module.
 */
#ifndef CLY_BINDING_LUA_CLASS_H
#define CLY_BINDING_LUA_CLASS_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Creates the metatable `name` with an __index table of methods and __name. Each method has the
 * metatable as its upvalue. Leaves nothing on the stack. */
void clyL_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* Returns the first argument as a userdata of class `name`, or raises an error like luaL_checkudata. In
 * a method it needs no registry lookup. */
void *clyL_check_self(lua_State *L, const char *name);

CLY_PRIVATE_END

#endif
