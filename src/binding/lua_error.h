/*
 * lua_error.h - converts a cly_error into the library's error object.
 */
#ifndef CLY_BINDING_LUA_ERROR_H
#define CLY_BINDING_LUA_ERROR_H

#include "binding/compat.h"
#include "core/api/problems.h"
#include "core/reply/response.h"

CLY_PRIVATE_BEGIN

/* The registry name of the error metatable; lua/connectly/errors.lua sets its fields. */
#define CLYL_ERROR "connectly.error"

/* Pushes a table with the fields documented in examples/errors/README.md. `problems` and `response` may be
 * NULL. `details` is JSON text; the Lua side decodes it. */
void clyL_push_error(lua_State *L, const cly_error *error, const cly_problems *problems,
                     const cly_response *response);

/* Sets a field of the table on top, unless the text is NULL. */
void clyL_set_text(lua_State *L, const char *field, const char *text);

/* Pushes nil and the error; returns 2. */
int clyL_fail(lua_State *L, const cly_error *error, const cly_problems *problems,
              const cly_response *response);

/* Pushes { kinds = , outcomes = , codes = {{code=, meaning=, hint=}} }. */
void clyL_push_taxonomy(lua_State *L);

/* Pushes nil and an error of this kind, whose call was not sent, with the hint of the kind. */
int clyL_fail_unsent(lua_State *L, cly_kind kind, const char *message);

CLY_PRIVATE_END

#endif
