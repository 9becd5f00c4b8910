#include "binding/lua_json.h"

#include "core/json/json.h"

int clyL_exact_json(lua_State *L) {
    size_t length, needed;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_settop(L, 1);
    if (!cly_json_is_valid(text, length)) return 0;
    needed = cly_json_quote_long(NULL, text, length);
    if (needed > length) {
        char *exact = lua_newuserdata(L, needed);
        cly_json_quote_long(exact, text, length);
        lua_pushlstring(L, exact, needed);
    }
    return 1;
}

int clyL_json_member(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    cly_json_member member = {.name = luaL_checkstring(L, 2)};
    if (!cly_json_read(&member, 1, text, length) || member.value.type == CLY_JSON_ABSENT) return 0;
    lua_pushlstring(L, member.value.start, member.value.length);
    return 1;
}

int clyL_compact_json(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    char *out;
    if (!cly_json_is_valid(text, length)) return 0;
    out = lua_newuserdata(L, length);
    lua_pushlstring(L, out, cly_json_compact(out, text, length));
    return 1;
}
