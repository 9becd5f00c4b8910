#include "binding/client/lua_result.h"

#include "binding/lua_error.h"

static void push_info(lua_State *L, const cly_result *result) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, result->call->attempts);
    lua_setfield(L, -2, "attempts");
    lua_pushnumber(L, (lua_Number)(result->call->ended_at - result->call->started_at));
    lua_setfield(L, -2, "elapsed");
    lua_pushstring(L, result->http_version);
    lua_setfield(L, -2, "http_version");
    lua_pushinteger(L, result->call->status);
    lua_setfield(L, -2, "status");
}

static void push_reply(lua_State *L, const cly_result *result) {
    lua_pushlstring(L, result->reply->data ? result->reply->data : "", result->reply->length);
}

static int push_success(lua_State *L, const cly_result *result) {
    if (result->call->operation->reply == CLY_REPLY_ID)
        lua_pushstring(L, cly_response_text(&result->call->response, CLY_TEXT_ID));
    else
        push_reply(L, result);
    push_info(L, result);
    return 2;
}

int clyL_push_result(lua_State *L, const cly_result *result) {
    if (result->call->error.kind == CLY_OK) return push_success(L, result);
    clyL_fail(L, &result->call->error, NULL, &result->call->response);
    push_info(L, result);
    if (result->call->response.sendouts.count == 0) return 3;
    push_reply(L, result);
    return 4;
}

int clyL_fail_gone(lua_State *L) {
    cly_error error;
    cly_error_clear(&error);
    cly_error_set(&error, CLY_CLOSED, CLY_UNKNOWN, "the client was closed while the call was under way");
    error.hint = cly_kind_hint(CLY_NETWORK, CLY_UNKNOWN);
    return clyL_fail(L, &error, NULL, NULL);
}
