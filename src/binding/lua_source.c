#include "binding/lua_source.h"

#include <math.h>

static lua_State *state_of(void *host) {
    return ((clyL_host *)host)->L;
}

static cly_value at(int index) {
    cly_value value;
    value.index = index;
    return value;
}

static cly_value top(lua_State *L) {
    return at(lua_gettop(L));
}

static cly_type source_type(void *host, cly_value value) {
    lua_State *L = state_of(host);
    switch (lua_type(L, value.index)) {
    case LUA_TNONE:
    case LUA_TNIL: return CLY_TYPE_NIL;
    case LUA_TBOOLEAN: return CLY_TYPE_BOOLEAN;
    case LUA_TNUMBER: return CLY_TYPE_NUMBER;
    case LUA_TSTRING: return CLY_TYPE_TEXT;
    case LUA_TTABLE: return CLY_TYPE_TABLE;
    case LUA_TLIGHTUSERDATA: /* cjson.null and ngx.null */
        return lua_touserdata(L, value.index) == NULL ? CLY_TYPE_NULL : CLY_TYPE_OTHER;
    default: return CLY_TYPE_OTHER;
    }
}

static const char *source_type_name(void *host, cly_value value) {
    if (source_type(host, value) == CLY_TYPE_NULL) return "null";
    return luaL_typename(state_of(host), value.index);
}

static bool source_boolean(void *host, cly_value value) {
    return lua_toboolean(state_of(host), value.index);
}

static cly_number source_number(void *host, cly_value value) {
    lua_State *L = state_of(host);
    cly_number number = {false, 0, 0};
    number.real = (double)lua_tonumber(L, value.index);
    number.is_integer = clyL_is_integer(L, value.index);
    if (number.is_integer) number.integer = (int64_t)lua_tointeger(L, value.index);
    return number;
}

static const char *source_text(void *host, cly_value value, size_t *length) {
    return lua_tolstring(state_of(host), value.index, length);
}

static void read_key(lua_State *L, int index, cly_entry *entry) {
    entry->is_text = lua_type(L, index) == LUA_TSTRING;
    entry->index.is_integer = false;
    entry->index.real = -1;
    /* Only a string is asked for as one: the call would change a number in
     * place and confuse lua_next. */
    if (entry->is_text)
        entry->key = lua_tolstring(L, index, &entry->length);
    else if (lua_type(L, index) == LUA_TNUMBER)
        entry->index.real = (double)lua_tonumber(L, index);
}

/* Below the key, which lua_next wants on top, the value stays held. */
static bool source_next(void *host, cly_value table, cly_entry *entry) {
    lua_State *L = state_of(host);
    if (!entry->started) {
        luaL_checkstack(L, 8, "message too large");
        lua_pushnil(L);
        entry->started = true;
    } else {
        luaL_checkstack(L, 4, "message too large");
    }
    if (!lua_next(L, table.index)) return false;
    lua_insert(L, -2);
    entry->value = at(lua_gettop(L) - 1);
    read_key(L, lua_gettop(L), entry);
    return true;
}

static void source_drop(void *host, cly_entry *entry) {
    lua_remove(state_of(host), entry->value.index);
}

static bool source_has_defaults(void *host, cly_value table) {
    lua_State *L = state_of(host);
    if (!luaL_getmetafield(L, table.index, "__index")) return false;
    lua_pop(L, 1);
    return true;
}

static cly_value source_field(void *host, cly_value table, const char *name) {
    lua_State *L = state_of(host);
    luaL_checkstack(L, 4, "message too large");
    lua_getfield(L, table.index, name);
    return top(L);
}

static cly_value source_item(void *host, cly_value table, size_t index) {
    lua_State *L = state_of(host);
    luaL_checkstack(L, 4, "message too large");
    lua_rawgeti(L, table.index, (int)index);
    if (lua_isnil(L, -1) && source_has_defaults(host, table)) {
        lua_pop(L, 1);
        lua_pushinteger(L, (lua_Integer)index);
        lua_gettable(L, table.index);
    }
    return top(L);
}

enum { COMPUTED_MAX = 1001 };

/* A list that a metatable makes ends at its first nil. */
static void count_computed(void *host, cly_value table, cly_list_shape *list) {
    lua_State *L = state_of(host);
    size_t count = 0;
    list->is_computed = true;
    for (; count < COMPUTED_MAX; count++) {
        bool is_end;
        source_item(host, table, count + 1);
        is_end = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (is_end) break;
    }
    list->count = list->last = count;
}

static void count_key(lua_State *L, cly_list_shape *list) {
    double index = lua_type(L, -1) == LUA_TNUMBER ? (double)lua_tonumber(L, -1) : 0;
    if (index >= 1 && index <= 1e9 && index == floor(index)) {
        list->count++;
        if ((size_t)index > list->last) list->last = (size_t)index;
    } else {
        list->has_others = true;
    }
}

static cly_list_shape source_list(void *host, cly_value table) {
    lua_State *L = state_of(host);
    cly_list_shape list = {0, 0, false, false};
    luaL_checkstack(L, 4, "message too large");
    lua_pushnil(L);
    while (lua_next(L, table.index)) {
        lua_pop(L, 1);
        count_key(L, &list);
    }
    if (!list.has_others && source_has_defaults(host, table)) count_computed(host, table, &list);
    return list;
}

static int source_mark(void *host) {
    return lua_gettop(state_of(host));
}

static void source_release(void *host, int mark) {
    lua_settop(state_of(host), mark);
}

/* The Lua function gives the JSON, or nil and why not. */
static const char *source_json(void *host, cly_value value, cly_buffer *out) {
    lua_State *L = state_of(host);
    const char *text;
    size_t length;
    luaL_checkstack(L, 4, "message too large");
    lua_rawgeti(L, LUA_REGISTRYINDEX, ((clyL_host *)host)->encode);
    lua_pushvalue(L, value.index);
    lua_call(L, 1, 2);
    if (lua_type(L, -2) != LUA_TSTRING)
        return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "cannot be written as JSON";
    text = lua_tolstring(L, -2, &length);
    cly_buffer_append(out, text, length);
    return NULL;
}

cly_source clyL_source(clyL_host *host) {
    cly_source source = {host,        source_type, source_type_name, source_boolean,      source_number,
                         source_text, source_next, source_drop,      source_has_defaults, source_field,
                         source_list, source_item, source_mark,      source_release,      source_json};
    return source;
}
