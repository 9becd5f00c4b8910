/*
 * lua_event.h - events and counters as Lua tables.
 */
#ifndef CLY_BINDING_CLIENT_LUA_EVENT_H
#define CLY_BINDING_CLIENT_LUA_EVENT_H

#include "binding/compat.h"
#include "io/call_table.h"

CLY_PRIVATE_BEGIN

/* Pushes a table as connectly.Event describes it. */
void clyL_push_event(lua_State *L, const cly_event *event);

/* Pushes a table as connectly.Stats describes it. */
void clyL_push_stats(lua_State *L, const cly_stats *stats);

CLY_PRIVATE_END

#endif
