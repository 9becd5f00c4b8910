/*
 * lua_source.h - implements a cly_source (core/base/source.h) on a Lua table.
 *
 * A value is identified by its absolute stack index. Held values stay on the stack until `release`
 * resets the top. The host tracks the top itself instead of asking Lua, so nothing else may change it
 * between clyL_host_init and the end of the reader.
 */
#ifndef CLY_BINDING_LUA_SOURCE_H
#define CLY_BINDING_LUA_SOURCE_H

#include "binding/compat.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

typedef struct clyL_host {
    lua_State *L;
    int encode; /* registry reference of the Lua function that encodes JSON */
    int top;    /* top of the stack */
    int room;   /* the stack is known to have slots up to here */
} clyL_host;

void clyL_host_init(clyL_host *host, lua_State *L, int encode);

/* Returns the value at an absolute stack index. */
cly_value clyL_value(lua_State *L, int index);

/* Returns the source; it borrows `host`. */
cly_source clyL_source(clyL_host *host);

CLY_PRIVATE_END

#endif
