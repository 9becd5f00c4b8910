#include "binding/client/lua_anchor.h"

#include "binding/lua_class.h"

#define CLASS "connectly.native.call"

int clyL_new_anchor(lua_State *L, cly_client *client) {
    clyL_anchor *anchor = lua_newuserdata(L, sizeof *anchor);
    anchor->client = client;
    anchor->reference = LUA_NOREF;
    anchor->ticket = 0;
    luaL_setmetatable(L, CLASS);
    lua_pushvalue(L, 1);
    anchor->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

static int anchor_gc(lua_State *L) {
    clyL_anchor *anchor = luaL_checkudata(L, 1, CLASS);
    if (anchor->ticket != 0) cly_call_table_detach(cly_client_calls(anchor->client), anchor->ticket);
    luaL_unref(L, LUA_REGISTRYINDEX, anchor->reference);
    anchor->reference = LUA_NOREF;
    anchor->ticket = 0;
    return 0;
}

clyL_anchor *clyL_check_anchor(lua_State *L, int argument) {
    clyL_anchor *anchor;
    if (lua_isnoneornil(L, argument)) return NULL;
    anchor = luaL_checkudata(L, argument, CLASS);
    luaL_argcheck(L, anchor->client == lua_touserdata(L, 1) && anchor->ticket == 0, argument,
                  "an anchor of this client without a call expected");
    return anchor;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__gc", anchor_gc},
    {NULL, NULL},
};

void clyL_open_anchor(lua_State *L) {
    clyL_class(L, CLASS, methods, metamethods);
}
