/*
 * encode_probe.c - the encoding of a send, alone, for spec/bench/encode.lua.
 *
 * encode(message) fills the encoder from a table, with all checks, exactly as a
 * send does, and returns the number of bytes. text() then returns the bytes: what
 * a send does not do, and lua-cjson has to. Linked with the module's own objects.
 */
#include "binding/lua_source.h"
#include "core/encode/encoder.h"

static cly_encoder encoder;

static int probe_encode(lua_State *L) {
    const cly_operation *operation = cly_operation_find("send_template", 13);
    clyL_host host = {NULL, LUA_NOREF, 0, 0};
    cly_source source = clyL_source(&host);
    cly_error error;
    cly_error_clear(&error);
    lua_settop(L, 1);
    clyL_host_init(&host, L, LUA_NOREF);
    if (cly_encoder_encode(&encoder, operation, NULL, &source, clyL_value(L, 1), &error) != CLY_OK)
        return luaL_error(L, "%s", error.message);
    lua_pushinteger(L, (lua_Integer)encoder.body.length);
    return 1;
}

static int probe_text(lua_State *L) {
    lua_pushlstring(L, encoder.body.data, encoder.body.length);
    return 1;
}

CLY_EXPORT int luaopen_encode_probe(lua_State *L);

int luaopen_encode_probe(lua_State *L) {
    cly_encoder_init(&encoder);
    lua_newtable(L);
    lua_pushcfunction(L, probe_encode);
    lua_setfield(L, -2, "encode");
    lua_pushcfunction(L, probe_text);
    lua_setfield(L, -2, "text");
    return 1;
}
