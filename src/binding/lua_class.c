#include "binding/lua_class.h"

#include <stdbool.h>

void *clyL_check_self(lua_State *L, const char *name) {
    bool is_own = false;
    if (lua_getmetatable(L, 1)) {
        is_own = lua_rawequal(L, -1, lua_upvalueindex(1));
        lua_pop(L, 1);
    }
    return is_own && lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : luaL_checkudata(L, 1, name);
}

void clyL_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods) {
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, methods, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    /* Hides the metatable, so that a program cannot call __gc by hand. */
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
