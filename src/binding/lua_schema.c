/*
 * lua_schema.c - core's tables as Lua tables.
 */
#include "binding/lua_schema.h"

#include "binding/lua_error.h"
#include "core/api/operation.h"

static void set_flag(lua_State *L, const char *field, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, (lua_Number)value);
    lua_setfield(L, -2, field);
}

static void push_field(lua_State *L, const cly_field *field) {
    lua_createtable(L, 0, 9);
    clyL_set_text(L, "name", field->name);
    clyL_set_text(L, "wire", field->wire);
    clyL_set_text(L, "type", cly_field_type_name(field->type));
    set_flag(L, "required", (field->flags & CLY_REQUIRED) != 0);
    set_flag(L, "may_be_empty", (field->flags & CLY_MAY_BE_EMPTY) != 0);
    clyL_set_text(L, "place",
                  field->flags & CLY_IN_PATH    ? "path"
                  : field->flags & CLY_IN_QUERY ? "query"
                                                : "body");
    set_number(L, "low", field->low);
    set_number(L, "high", field->high);
    if (field->shape) clyL_set_text(L, "shape", field->shape->name);
}

static void push_shape(lua_State *L, const cly_shape *shape) {
    lua_createtable(L, (int)shape->count, 0);
    for (size_t i = 0; i < shape->count; i++) {
        push_field(L, &shape->fields[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

int clyL_shapes(lua_State *L) {
    static const cly_shape *const shapes[] = {
#define CLY_SHAPE(shape) &cly_shape_##shape,
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested)
#define CLY_SHAPE_END(shape)
#include "core/api/fields.def"
#undef CLY_SHAPE
#undef CLY_FIELD
#undef CLY_SHAPE_END
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        push_shape(L, shapes[i]);
        lua_setfield(L, -2, shapes[i]->name);
    }
    return 1;
}

static const char *reply_name(cly_reply reply) {
    switch (reply) {
    case CLY_REPLY_ID: return "id";
    case CLY_REPLY_CAMPAIGNS: return "campaigns";
    default: return "body";
    }
}

int clyL_operations(lua_State *L) {
    size_t count;
    const cly_operation *operations = cly_operations(&count);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        const cly_operation *operation = &operations[i];
        lua_createtable(L, 0, 7);
        clyL_set_text(L, "name", operation->name);
        if (operation->method) clyL_set_text(L, "method", operation->method);
        if (operation->path) clyL_set_text(L, "path", operation->path);
        clyL_set_text(L, "shape", operation->shape->name);
        clyL_set_text(L, "reply", reply_name(operation->reply));
        clyL_set_text(L, "limit", operation->limit == CLY_LIMIT_ASSETS ? "assets" : "none");
        set_flag(L, "idempotent", operation->is_idempotent);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static void push_named(lua_State *L, const char *name, const char *type) {
    lua_createtable(L, 0, 5);
    clyL_set_text(L, "name", name);
    clyL_set_text(L, "type", type);
}

static void push_number_option(lua_State *L, const char *name, const char *type, double value, double low,
                               double high) {
    push_named(L, name, type);
    set_number(L, "default", value);
    set_number(L, "low", low);
    set_number(L, "high", high);
}

static void push_flag_option(lua_State *L, const char *name, bool value) {
    push_named(L, name, "flag");
    set_flag(L, "default", value);
}

int clyL_options(lua_State *L) {
    int count = 0;
    lua_newtable(L);
#define ADD(push) \
    push;         \
    lua_rawseti(L, -2, ++count);
#define CLY_OPTION_TEXT(name) ADD(push_named(L, #name, "text"))
#define CLY_OPTION_NUMBER(name, value, low, high) \
    ADD(push_number_option(L, #name, "number", value, low, high))
#define CLY_OPTION_COUNT(name, value, low, high) ADD(push_number_option(L, #name, "count", value, low, high))
#define CLY_OPTION_FLAG(name, value) ADD(push_flag_option(L, #name, value))
#define CLY_OPTION_HOST(name) ADD(push_named(L, #name, "host"))
#include "core/api/options.def"
    return 1;
}

static void push_param(lua_State *L, const char *name, cly_field_type type, double low, double high) {
    push_named(L, name, cly_field_type_name(type));
    set_number(L, "low", low);
    set_number(L, "high", high);
}

int clyL_params(lua_State *L) {
    int count = 0;
    lua_newtable(L);
#define CLY_PARAM(constant, start, rest, first, last, type, group, part) \
    ADD(push_param(L, start rest, CLY_FIELD_##type, first, last))
#include "core/api/params.def"
#undef CLY_PARAM
#undef ADD
    return 1;
}
