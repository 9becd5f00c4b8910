/*
 * lua_schema.h - what core keeps in its .def files, for what is written about it.
 */
#ifndef CLY_BINDING_LUA_SCHEMA_H
#define CLY_BINDING_LUA_SCHEMA_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* operations() -> all of them: name, method and path (nil where the caller says
 * them), shape, reply ("id" or "body"), limit, idempotent */
int clyL_operations(lua_State *L);

/* shapes() -> the fields of every table that a request may have, by its name */
int clyL_shapes(lua_State *L);

/* options() -> those of connectly.new: name, type ("text", "number", "count", "flag",
 * "host") and, where there are such, default, low and high */
int clyL_options(lua_State *L);

/* params() -> the parameters of a template: name, with # where a number stands, type,
 * low and high */
int clyL_params(lua_State *L);

CLY_PRIVATE_END

#endif
