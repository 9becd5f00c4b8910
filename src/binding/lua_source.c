#include "binding/lua_source.h"

#include <math.h>

static lua_State *state_of(void *host) {
    return ((clyL_host *)host)->L;
}

static cly_type type_of(lua_State *L, int index, int lua_type) {
    switch (lua_type) {
    case LUA_TNONE:
    case LUA_TNIL: return CLY_TYPE_NIL;
    case LUA_TBOOLEAN: return CLY_TYPE_BOOLEAN;
    case LUA_TNUMBER: return CLY_TYPE_NUMBER;
    case LUA_TLIGHTUSERDATA: /* cjson.null and ngx.null */
        return lua_touserdata(L, index) == NULL ? CLY_TYPE_NULL : CLY_TYPE_OTHER;
    default: return CLY_TYPE_OTHER;
    }
}

/* Fast path for texts and tables, which nearly all values are. */
static inline void read_value(lua_State *L, int index, cly_value *value) {
    int type = lua_type(L, index);
    value->index = index;
    if (type == LUA_TSTRING) {
        value->type = CLY_TYPE_TEXT;
        value->text = lua_tolstring(L, index, &value->length);
    } else {
        value->type = type == LUA_TTABLE ? CLY_TYPE_TABLE : type_of(L, index, type);
    }
}

cly_value clyL_value(lua_State *L, int index) {
    cly_value value = {CLY_TYPE_NIL, {index}, NULL, 0};
    read_value(L, index, &value);
    return value;
}

void clyL_host_init(clyL_host *host, lua_State *L, int encode) {
    host->L = L;
    host->encode = encode;
    host->top = host->room = lua_gettop(L);
}

/* Returns the value that was just pushed. */
static cly_value pushed(clyL_host *host) {
    return clyL_value(host->L, ++host->top);
}

enum { NEEDED = 2 * CLY_ENTRIES_MAX + 8, GRAIN = 3 * NEEDED };

/* Reserves slots in large steps instead of for every value. */
static void make_room(clyL_host *host) {
    if (host->top + NEEDED <= host->room) return;
    clyL_reserve(host->L, GRAIN);
    host->room = host->top + GRAIN;
}

static const char *source_type_name(void *host, cly_value value) {
    if (value.type == CLY_TYPE_NULL) return "null";
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

/* Lua formats a number with a digit or a minus first, or as inf (or, except for keys, nan). The last
 * character of all but those two is a digit. */
static inline bool is_name(const char *text) {
    return text && *text > '9' && (text[0] != 'i' || text[1] != 'n');
}

static inline bool may_be_number(const char *text, size_t length) {
    char last = length > 0 ? text[length - 1] : '\0';
    bool is_begun = text[0] == '-' || (text[0] >= '0' && text[0] <= '9') || text[0] == 'i' || text[0] == 'n';
    return is_begun && ((last >= '0' && last <= '9') || last == 'f' || last == 'n');
}

/* `copy` is the copy of the key that lua_next does not need: lua_tolstring converts a number in place.
 * Testing the type first would cost one more call per key. */
static inline void read_key(lua_State *L, int copy, cly_entry *entry) {
    int key = copy + 2;
    entry->key = lua_tolstring(L, copy, &entry->length);
    entry->is_text = is_name(entry->key) || lua_type(L, key) == LUA_TSTRING;
    if (entry->is_text) return;
    entry->key = NULL;
    entry->length = 0;
    entry->index = lua_type(L, key) == LUA_TNUMBER ? (double)lua_tonumber(L, key) : -1;
}

/* The same for the value between the two keys. If it was a number or looks like one, lua_tolstring may
 * have converted it, so it is read from the table again. */
static inline void read_field(lua_State *L, int table, int index, cly_value *value) {
    value->type = CLY_TYPE_TEXT;
    value->index = index;
    value->text = lua_tolstring(L, index, &value->length);
    if (value->text && !may_be_number(value->text, value->length)) return;
    if (value->text) {
        lua_pushvalue(L, index + 1);
        lua_rawget(L, table);
        lua_replace(L, index);
    }
    read_value(L, index, value);
}

/* Continues from the key on top of the stack, at `top`, and returns the new top. Each entry holds a
 * copy of its key and its value. The last key stays on top; lua_next pops it. */
static inline int read_entries(lua_State *L, int table, int top, cly_entries *entries) {
    size_t count = 0;
    for (; count < CLY_ENTRIES_MAX && lua_next(L, table); count++, top += 2) {
        lua_pushvalue(L, top);
        read_key(L, top, &entries->items[count]);
        read_field(L, table, top + 1, &entries->items[count].value);
    }
    entries->count = count;
    entries->is_over = count < CLY_ENTRIES_MAX;
    return entries->is_over ? top - 1 : top;
}

static void source_next(void *data, cly_value table, cly_entries *entries) {
    clyL_host *host = data;
    make_room(host);
    if (!entries->has_begun) {
        lua_pushnil(host->L);
        host->top++;
    }
    entries->has_begun = true;
    entries->mark = host->top - 1;
    host->top = read_entries(host->L, table.index, host->top, entries);
}

/* The key on top stays for the next step. */
static void source_drop(void *data, cly_entries *entries) {
    clyL_host *host = data;
    host->top = entries->mark;
    if (!entries->is_over) lua_replace(host->L, ++host->top);
    lua_settop(host->L, host->top);
}

static bool source_has_defaults(void *host, cly_value table) {
    lua_State *L = state_of(host);
    bool has_index;
    if (!lua_getmetatable(L, table.index)) return false;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    has_index = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return has_index;
}

static cly_value source_field(void *data, cly_value table, const char *name) {
    clyL_host *host = data;
    make_room(host);
    lua_getfield(host->L, table.index, name);
    return pushed(host);
}

static cly_value source_item(void *data, cly_value table, size_t index) {
    clyL_host *host = data;
    cly_value item;
    make_room(host);
    lua_rawgeti(host->L, table.index, (int)index);
    item = pushed(host);
    if (item.type != CLY_TYPE_NIL || !source_has_defaults(host, table)) return item;
    lua_pushinteger(host->L, (lua_Integer)index);
    lua_gettable(host->L, table.index);
    return pushed(host);
}

static int source_mark(void *host) {
    return ((clyL_host *)host)->top;
}

static void source_release(void *data, int mark) {
    clyL_host *host = data;
    if (host->top == mark) return;
    host->top = mark;
    lua_settop(host->L, mark);
}

/* Returns the number of entries, or -1 if there are more than `most`. */
static int count_entries(lua_State *L, int table, int top, int most) {
    int count = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        if (count++ < most) {
            lua_settop(L, top + 1);
        } else {
            lua_settop(L, top);
            return -1;
        }
    }
    return count;
}

/* If the table has as many entries as indices with a value, it has no other keys. */
static int source_items(void *data, cly_value table, cly_value *items, int room) {
    clyL_host *host = data;
    int base = host->top, count;
    make_room(host);
    count = count_entries(host->L, table.index, base, room);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(host->L, table.index, i + 1);
        read_value(host->L, ++host->top, &items[i]);
        if (items[i].type == CLY_TYPE_NIL) count = -1;
    }
    if (count >= 0 && !source_has_defaults(host, table)) return count;
    source_release(host, base);
    return -1;
}

enum { COMPUTED_MAX = 1001 };

/* A list that a metatable produces ends at its first nil. */
static void count_computed(void *host, cly_value table, cly_list_shape *list) {
    int mark = source_mark(host);
    size_t count = 0;
    list->is_computed = true;
    for (; count < COMPUTED_MAX; count++) {
        bool is_end = source_item(host, table, count + 1).type == CLY_TYPE_NIL;
        source_release(host, mark);
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
    make_room(host);
    lua_pushnil(L);
    while (lua_next(L, table.index)) {
        lua_pop(L, 1);
        count_key(L, &list);
    }
    if (!list.has_others && source_has_defaults(host, table)) count_computed(host, table, &list);
    return list;
}

/* Calls the Lua function, which returns the JSON, or nil and the reason for a failure. */
static const char *source_json(void *data, cly_value value, cly_buffer *out) {
    clyL_host *host = data;
    lua_State *L = host->L;
    const char *text;
    size_t length;
    make_room(host);
    lua_rawgeti(L, LUA_REGISTRYINDEX, host->encode);
    lua_pushvalue(L, value.index);
    lua_call(L, 1, 2);
    host->top += 2;
    if (lua_type(L, -2) != LUA_TSTRING)
        return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "cannot be written as JSON";
    text = lua_tolstring(L, -2, &length);
    cly_buffer_append(out, text, length);
    return NULL;
}

cly_source clyL_source(clyL_host *host) {
    cly_source source = {host,        source_type_name,    source_boolean, source_number, source_next,
                         source_drop, source_has_defaults, source_field,   source_items,  source_list,
                         source_item, source_mark,         source_release, source_json};
    return source;
}
