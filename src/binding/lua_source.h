/*
 * lua_source.h - a Lua table as a cly_source (core/source.h).
 *
 * A value is its absolute index on the stack. What is held stays there until
 * `release` sets the top back.
 */
#ifndef CLY_BINDING_LUA_SOURCE_H
#define CLY_BINDING_LUA_SOURCE_H

#include "binding/compat.h"
#include "core/source.h"

CLY_PRIVATE_BEGIN

typedef struct clyL_host {
    lua_State *L;
    int encode; /* registry reference of the Lua function for JSON of any shape */
} clyL_host;

/* The source; `host` is borrowed as long as it is used. */
cly_source clyL_source(clyL_host *host);

CLY_PRIVATE_END

#endif
