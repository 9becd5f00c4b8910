#include "binding/lua_error.h"

void clyL_set_text(lua_State *L, const char *field, const char *text) {
    if (text == NULL) return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, double number) {
    lua_pushnumber(L, (lua_Number)number);
    lua_setfield(L, -2, field);
}

static void set_integer(lua_State *L, const char *field, int number) {
    lua_pushinteger(L, number);
    lua_setfield(L, -2, field);
}

static void push_problems(lua_State *L, const cly_problems *problems) {
    lua_createtable(L, (int)problems->count, 0);
    for (size_t i = 0; i < problems->count; i++) {
        lua_createtable(L, 0, 2);
        clyL_set_text(L, "param", cly_problem_param(problems, i));
        clyL_set_text(L, "message", cly_problem_message(problems, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void set_response(lua_State *L, const cly_response *response) {
    static const struct {
        const char *field;
        cly_reply_text text;
    } fields[] = {
        {"code", CLY_TEXT_CODE},
        {"type", CLY_TEXT_TYPE},
        {"user_title", CLY_TEXT_USER_TITLE},
        {"user_message", CLY_TEXT_USER_MESSAGE},
        {"trace_id", CLY_TEXT_TRACE_ID},
        {"details", CLY_TEXT_DETAILS},
        {"body", CLY_TEXT_BODY},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        clyL_set_text(L, fields[i].field, cly_response_text(response, fields[i].text));
}

void clyL_push_error(lua_State *L, const cly_error *error, const cly_problems *problems,
                     const cly_response *response) {
    clyL_reserve(L, 8);
    lua_createtable(L, 0, 12);
    clyL_set_text(L, "kind", cly_kind_name(error->kind));
    clyL_set_text(L, "outcome", cly_outcome_name(error->outcome));
    clyL_set_text(L, "message", error->message);
    clyL_set_text(L, "hint", error->hint);
    if (error->param[0]) clyL_set_text(L, "param", error->param);
    if (error->status) set_integer(L, "status", error->status);
    if (error->retry_after >= 0) set_number(L, "retry_after", error->retry_after);
    set_integer(L, "attempts", error->attempts);
    lua_pushboolean(L, cly_error_is_retryable(error));
    lua_setfield(L, -2, "retryable");
    if (problems && problems->count > 0) {
        push_problems(L, problems);
        lua_setfield(L, -2, "problems");
    }
    if (response) set_response(L, response);
    luaL_getmetatable(L, CLYL_ERROR);
    lua_setmetatable(L, -2);
}

int clyL_fail(lua_State *L, const cly_error *error, const cly_problems *problems,
              const cly_response *response) {
    lua_pushnil(L);
    clyL_push_error(L, error, problems, response);
    return 2;
}

static void push_kinds(lua_State *L) {
    lua_newtable(L);
    for (int kind = 1; kind < CLY_KIND_COUNT; kind++) {
        lua_pushstring(L, cly_kind_name((cly_kind)kind));
        lua_rawseti(L, -2, kind);
    }
}

static void push_outcomes(lua_State *L) {
    static const cly_outcome outcomes[] = {CLY_NOT_SENT, CLY_REFUSED, CLY_UNKNOWN};
    lua_newtable(L);
    for (int i = 0; i < 3; i++) {
        lua_pushstring(L, cly_outcome_name(outcomes[i]));
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_codes(lua_State *L) {
    size_t count;
    const cly_error_code *codes = cly_error_codes(&count);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_newtable(L);
        clyL_set_text(L, "code", codes[i].code);
        clyL_set_text(L, "meaning", codes[i].meaning);
        clyL_set_text(L, "hint", codes[i].hint);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

void clyL_push_taxonomy(lua_State *L) {
    lua_newtable(L);
    push_kinds(L);
    lua_setfield(L, -2, "kinds");
    push_outcomes(L);
    lua_setfield(L, -2, "outcomes");
    push_codes(L);
    lua_setfield(L, -2, "codes");
}

int clyL_fail_unsent(lua_State *L, cly_kind kind, const char *message) {
    cly_error error;
    cly_error_clear(&error);
    cly_error_set(&error, kind, CLY_NOT_SENT, "%s", message);
    error.hint = cly_kind_hint(kind, CLY_NOT_SENT);
    return clyL_fail(L, &error, NULL, NULL);
}
