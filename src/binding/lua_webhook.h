/*
 * lua_webhook.h - the C functions that lua/connectly/webhook uses.
 */
#ifndef CLY_BINDING_LUA_WEBHOOK_H
#define CLY_BINDING_LUA_WEBHOOK_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Creates the class that these functions use. Leaves nothing on the stack. */
void clyL_open_webhook(lua_State *L);

/* verify_webhook(secrets, body, signature) -> boolean */
int clyL_webhook_verify(lua_State *L);

/* webhook_error(body) -> the error of a failed delivery, or nil; `details` is JSON text */
int clyL_webhook_error(lua_State *L);

/* webhook_sign(secret, body) -> the signature as base64; nothing if the secret is empty */
int clyL_webhook_sign(lua_State *L);

CLY_PRIVATE_END

#endif
