/*
 * lua_source.h - a Lua table as a cly_source (core/base/source.h).
 *
 * A value is its absolute index on the stack. What is held stays there until
 * `release` sets the top back. The host knows the top without asking Lua, so
 * between clyL_host_init and the end of the reader nothing else may move it.
 */
#ifndef CLY_BINDING_LUA_SOURCE_H
#define CLY_BINDING_LUA_SOURCE_H

#include "binding/compat.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

typedef struct clyL_host {
    lua_State *L;
    int encode; /* registry reference of the Lua function for JSON of any shape */
    int top;    /* the stack's */
    int room;   /* up to where it is known to have slots */
} clyL_host;

void clyL_host_init(clyL_host *host, lua_State *L, int encode);

/* The value at an absolute index of the stack. */
cly_value clyL_value(lua_State *L, int index);

/* The source; `host` is borrowed as long as it is used. */
cly_source clyL_source(clyL_host *host);

CLY_PRIVATE_END

#endif
