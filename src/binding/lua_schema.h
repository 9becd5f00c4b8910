/*
 * lua_schema.h - exposes the contents of core's .def files to Lua, for the documentation.
 */
#ifndef CLY_BINDING_LUA_SCHEMA_H
#define CLY_BINDING_LUA_SCHEMA_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* operations() -> all operations: name, method and path (nil if the message gives them), shape, reply
 * ("id", "campaigns" or "body"), limit, idempotent */
int clyL_operations(lua_State *L);

/* shapes() -> the fields of each table that a request may have, by the name of its shape */
int clyL_shapes(lua_State *L);

/* options() -> the options of connectly.new: name, type ("text", "number", "count", "flag", "host")
 * and, if they apply, default, low and high */
int clyL_options(lua_State *L);

/* params() -> the parameters of a template: name, with # for each number, type, low and high */
int clyL_params(lua_State *L);

CLY_PRIVATE_END

#endif
