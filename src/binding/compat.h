/*
 * compat.h - the one file that looks at the Lua version.
 *
 * The binding is written for what Lua 5.4 and LuaJIT (5.1) both have; the few
 * things that differ are given one name here. LuaJIT calls itself 5.1 but has
 * some of 5.2's functions, which luaL_newlibtable gives away.
 */
#ifndef CLY_BINDING_COMPAT_H
#define CLY_BINDING_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM >= 504
#define CLY_HAS_CLOSE 1
#else
#define CLY_HAS_CLOSE 0
#endif

#if LUA_VERSION_NUM < 502

/* Index arithmetic is done with absolute, positive indices only. */
#if !defined(luaL_newlibtable)
static inline void luaL_setmetatable(lua_State *L, const char *name) {
    luaL_getmetatable(L, name);
    lua_setmetatable(L, -2);
}

static inline void luaL_setfuncs(lua_State *L, const luaL_Reg *functions, int upvalues) {
    (void)upvalues; /* we give none */
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}
#endif

#endif

/* What this module was built for, for people. */
#if defined(LUAJIT_VERSION_NUM) || (LUA_VERSION_NUM < 502 && defined(luaL_newlibtable))
#define CLY_LUA_NAME "LuaJIT (Lua 5.1)"
#else
#define CLY_LUA_NAME LUA_VERSION
#endif

/* As luaL_checkstack, which calls it a stack overflow when memory is missing: from
 * Lua 5.4.7 on, a stack that cannot grow is refused without a memory error. */
static inline void clyL_reserve(lua_State *L, int slots) {
    if (!lua_checkstack(L, slots)) luaL_error(L, "not enough memory for the Lua stack");
}

/* A number that is a whole one in the language's own sense: 5.4 has integers,
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
