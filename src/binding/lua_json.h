/*
 * lua_json.h - the C functions for Lua that read JSON texts.
 */
#ifndef CLY_BINDING_LUA_JSON_H
#define CLY_BINDING_LUA_JSON_H

#include "binding/compat.h"
#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

/* exact_json(text) -> the text with the integers that a double cannot hold as strings, or nothing if it
 * is not JSON */
int clyL_exact_json(lua_State *L);

/* json_member(text, name) -> the text of a member of a JSON object, as it was received; nothing if there
 * is none, if there are two of the name, or if the text is not JSON. `name` is plain ASCII. */
int clyL_json_member(lua_State *L);

/* compact_json(text) -> a JSON text without the spaces and newlines between its tokens, or nothing if it
 * is not JSON */
int clyL_compact_json(lua_State *L);

CLY_PRIVATE_END

#endif
