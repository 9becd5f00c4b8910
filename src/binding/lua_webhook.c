#include "binding/lua_webhook.h"

#include "binding/lua_class.h"
#include "binding/lua_error.h"
#include "core/json/json.h"
#include "core/reply/webhook.h"

#define CLASS "connectly.native.response"

/* Pushes the strings of the list at `index`, which keeps them referenced; returns their number. */
static size_t check_secrets(lua_State *L, int index, cly_webhook_secret secrets[CLY_WEBHOOK_SECRETS_MAX]) {
    int count = 0;
    luaL_checktype(L, index, LUA_TTABLE);
    clyL_reserve(L, CLY_WEBHOOK_SECRETS_MAX + 1);
    for (; count < CLY_WEBHOOK_SECRETS_MAX; count++) {
        lua_rawgeti(L, index, count + 1);
        if (lua_type(L, -1) != LUA_TSTRING) break;
        secrets[count].bytes = lua_tolstring(L, -1, &secrets[count].length);
    }
    return (size_t)count;
}

int clyL_webhook_verify(lua_State *L) {
    cly_webhook_secret secrets[CLY_WEBHOOK_SECRETS_MAX];
    size_t length, signature_length;
    const char *body = luaL_checklstring(L, 2, &length);
    const char *signature = luaL_checklstring(L, 3, &signature_length);
    size_t count = check_secrets(L, 1, secrets);
    lua_pushboolean(L, cly_webhook_verify(secrets, count, body, length, signature, signature_length));
    return 1;
}

int clyL_webhook_sign(lua_State *L) {
    char signature[CLY_WEBHOOK_SIGNATURE_SIZE + 1];
    cly_webhook_secret secret;
    size_t length;
    const char *body = luaL_checklstring(L, 2, &length);
    secret.bytes = luaL_checklstring(L, 1, &secret.length);
    if (!cly_webhook_sign(signature, &secret, body, length)) return 0;
    lua_pushstring(L, signature);
    return 1;
}

/* Creates an empty response as a userdata, so that Lua frees it if an error is raised while it is read
 * and pushed. */
static cly_response *new_response(lua_State *L) {
    cly_response *response = lua_newuserdata(L, sizeof *response);
    cly_response_init(response);
    luaL_setmetatable(L, CLASS);
    return response;
}

int clyL_webhook_error(lua_State *L) {
    size_t length;
    const char *body = luaL_checklstring(L, 1, &length);
    cly_response *response = new_response(L);
    cly_error error;
    if (cly_webhook_error(&error, response, body, length))
        clyL_push_error(L, &error, NULL, response);
    else
        lua_pushnil(L);
    cly_response_clear(response);
    return 1;
}

static int response_gc(lua_State *L) {
    cly_response_clear(luaL_checkudata(L, 1, CLASS));
    return 0;
}

static const luaL_Reg methods[] = {{NULL, NULL}};
static const luaL_Reg metamethods[] = {{"__gc", response_gc}, {NULL, NULL}};

void clyL_open_webhook(lua_State *L) {
    clyL_class(L, CLASS, methods, metamethods);
}
