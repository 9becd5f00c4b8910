/*
 * compat.h - the one file that looks at the Lua version.
 *
 * The binding is written for what Lua 5.3 to 5.5 and LuaJIT 2.1 all have; the few
 * things that differ are given one name here. LuaJIT 2.1 calls itself 5.1 but has
 * some of 5.2's functions; its headers show it by luaL_newlibtable.
 */
#ifndef CLY_BINDING_COMPAT_H
#define CLY_BINDING_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#if LUA_VERSION_NUM == 502 || (LUA_VERSION_NUM < 502 && !defined(luaL_newlibtable))
#error "connectly supports Lua 5.3, 5.4, 5.5 and LuaJIT 2.1, and not PUC Lua 5.1, Lua 5.2 or LuaJIT 2.0"
#endif

#if LUA_VERSION_NUM >= 504
#define CLY_HAS_CLOSE 1
#else
#define CLY_HAS_CLOSE 0
#endif

/* The name of the Lua that this module was built for. */
#if LUA_VERSION_NUM < 502
#define CLY_LUA_NAME "LuaJIT (Lua 5.1)"
#else
#define CLY_LUA_NAME LUA_VERSION
#endif

/* As luaL_checkstack, which calls it a stack overflow when memory is missing: from
 * Lua 5.4.7 on, a stack that cannot grow is refused without a memory error. */
static inline void clyL_reserve(lua_State *L, int slots) {
    if (!lua_checkstack(L, slots)) luaL_error(L, "not enough memory for the Lua stack");
}

/* A whole number below 2^53: an integer where the language has those of 64 bits, which as
 * the key of a table is cheaper than a float. */
static inline void clyL_push_count(lua_State *L, uint64_t number) {
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)number);
#else
    lua_pushnumber(L, (lua_Number)number);
#endif
}

/* A number that is a whole one in the language's own sense: 5.3 has integers,
 * 5.1 only doubles. */
static inline int clyL_is_integer(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 503
    return lua_isinteger(L, index);
#else
    (void)L, (void)index;
    return 0;
#endif
}

#endif
