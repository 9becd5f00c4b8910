/*
 * compat.h - hides the differences between Lua versions.
 *
 * The binding uses what Lua 5.3 to 5.5 and LuaJIT 2.1 have in common. This file gives the few things
 * that differ one name each; no other file tests the Lua version. LuaJIT 2.1 reports version 5.1 but
 * has some functions of 5.2; its headers can be recognized by luaL_newlibtable.
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

/* The name of the Lua version for which this module was built. */
#if LUA_VERSION_NUM < 502
#define CLY_LUA_NAME "LuaJIT (Lua 5.1)"
#else
#define CLY_LUA_NAME LUA_VERSION
#endif

/* Like luaL_checkstack, but reports missing memory as such. luaL_checkstack would report a stack
 * overflow: from Lua 5.4.7 on, lua_checkstack fails without a memory error if the stack cannot grow. */
static inline void clyL_reserve(lua_State *L, int slots) {
    if (!lua_checkstack(L, slots)) luaL_error(L, "not enough memory for the Lua stack");
}

/* Pushes a whole number below 2^53, as an integer if the language has 64-bit integers: as a table key,
 * an integer is cheaper than a float. */
static inline void clyL_push_count(lua_State *L, uint64_t number) {
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)number);
#else
    lua_pushnumber(L, (lua_Number)number);
#endif
}

/* True for a number of integer subtype: Lua 5.3 has integers, 5.1 only doubles. */
static inline int clyL_is_integer(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 503
    return lua_isinteger(L, index);
#else
    (void)L, (void)index;
    return 0;
#endif
}

#endif
