/*
 * lua_webhook.h - what lua/connectly/webhook/init.lua asks of C.
 */
#ifndef CLY_BINDING_LUA_WEBHOOK_H
#define CLY_BINDING_LUA_WEBHOOK_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* Makes the class that the functions need. Leaves nothing on the stack. */
void clyL_open_webhook(lua_State *L);

/* verify_webhook(secrets, body, signature) -> boolean */
int clyL_webhook_verify(lua_State *L);

/* webhook_error(body) -> the error of a delivery, or nil; `details` is JSON text */
int clyL_webhook_error(lua_State *L);

/* exact_json(text) -> the text with numbers that are too long for a double as
 * strings, or nil when it is no JSON */
int clyL_exact_json(lua_State *L);

CLY_PRIVATE_END

#endif
