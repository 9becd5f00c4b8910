#define _GNU_SOURCE /* dladdr */
/*
 * module.c - connectly.native, the private C module under lua/connectly.
 */
#include "binding/client/lua_client.h"
#include "binding/lua_error.h"
#include "binding/lua_json.h"
#include "binding/lua_schema.h"
#include "binding/lua_webhook.h"
#include "core/api/config.h"
#include "core/base/datetime.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "io/curl/ca_files.h"
#include "io/system/clock.h"
#include "io/curl/libcurl.h"
#include "io/system/process.h"
#include "io/settings.h"
#include <dlfcn.h>
#include <limits.h>

/* message_time(id) -> Unix seconds, or nil when the id is not a ULID */
static int native_message_time(lua_State *L) {
    size_t length;
    const char *id = luaL_checklstring(L, 1, &length);
    double time_ms = cly_ulid_time_ms(id, length);
    if (time_ms < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, (lua_Number)(time_ms / 1000));
    return 1;
}

static void set(lua_State *L, const char *field, const char *text) {
    lua_pushstring(L, text ? text : "");
    lua_setfield(L, -2, field);
}

/* versions() -> the versions of the module, of Lua, libcurl and the TLS backend, and whether HTTP/2 is
 * supported */
static int native_versions(lua_State *L) {
    cly_libcurl libcurl = cly_libcurl_running();
    lua_newtable(L);
    set(L, "connectly", CLY_VERSION);
    set(L, "lua", CLY_LUA_NAME);
    set(L, "libcurl", libcurl.version);
    set(L, "tls", libcurl.tls);
    lua_pushboolean(L, libcurl.has_http2);
    lua_setfield(L, -2, "http2");
    return 1;
}

static const char *bundle_of(const cly_ca_paths *paths) {
    if (paths->bundle[0]) return paths->bundle;
    if (paths->api.file[0]) return paths->api.is_sample ? "" : paths->api.file;
    return cly_libcurl_running().bundle;
}

/* ca_paths() -> the certificates that a client without ca_file and ca_path trusts: directory and bundle
 * ("" for none), the source of each, and whether the bundle is added only when needed */
static int native_ca_paths(lua_State *L) {
    cly_ca_variables variables = cly_settings_ca_variables();
    cly_ca_system system = cly_libcurl_ca_system();
    cly_config config;
    cly_ca_paths paths;
    cly_config_init(&config);
    cly_ca_paths_find(&paths, &config, &variables, &system, &cly_ca_files_on_disk);
    lua_newtable(L);
    set(L, "directory", paths.api.directory);
    set(L, "directory_source", paths.directory_source);
    set(L, "bundle", bundle_of(&paths));
    set(L, "bundle_source", paths.file_source);
    lua_pushboolean(L, paths.bundle[0] != '\0');
    lua_setfield(L, -2, "bundle_waits");
    return 1;
}

/* taxonomy() -> { kinds, outcomes, codes } */
static int native_taxonomy(lua_State *L) {
    clyL_push_taxonomy(L);
    return 1;
}

/* clock() -> seconds on a monotonic clock */
static int native_clock(lua_State *L) {
    lua_pushnumber(L, (lua_Number)cly_clock_now());
    return 1;
}

/* sleep(seconds): blocks for at most a second, or until a signal arrives */
static int native_sleep(lua_State *L) {
    lua_Number seconds = luaL_checknumber(L, 1);
    if (seconds > 0) cly_clock_sleep(seconds < 1 ? (double)seconds : 1);
    return 0;
}

/* is_yieldable() -> whether the caller may yield */
static int native_is_yieldable(lua_State *L) {
    lua_pushboolean(L, lua_isyieldable(L));
    return 1;
}

/* process() -> a number that differs in each forked child */
static int native_process(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)cly_process_generation());
    return 1;
}

/* datetime(seconds) -> Unix seconds as ISO 8601; nothing for a year before 1970 or after 9999 */
static int native_datetime(lua_State *L) {
    char text[CLY_DATETIME_SIZE];
    if (!cly_datetime_write(text, (double)luaL_checknumber(L, 1))) return 0;
    lua_pushstring(L, text);
    return 1;
}

/* distance(one, other) -> the edit distance of two names, very large beyond 48 bytes */
static int native_distance(lua_State *L) {
    size_t one_length, other_length;
    const char *one = luaL_checklstring(L, 1, &one_length), *other = luaL_checklstring(L, 2, &other_length);
    lua_pushnumber(L, (lua_Number)cly_text_distance(one, one_length, other, other_length));
    return 1;
}

/* is_loopback(host) -> whether it is localhost, [::1] or an address in 127.0.0.0/8 */
static int native_is_loopback(lua_State *L) {
    size_t length;
    const char *host = luaL_checklstring(L, 1, &length);
    lua_pushboolean(L, cly_is_loopback(host, length));
    return 1;
}

/* error_metatable() -> the metatable of all error objects */
static int native_error_metatable(lua_State *L) {
    luaL_newmetatable(L, CLYL_ERROR);
    return 1;
}

static const luaL_Reg functions[] = {
    {"new", clyL_client_new},
    {"message_time", native_message_time},
    {"versions", native_versions},
    {"ca_paths", native_ca_paths},
    {"operations", clyL_operations},
    {"shapes", clyL_shapes},
    {"options", clyL_options},
    {"params", clyL_params},
    {"taxonomy", native_taxonomy},
    {"clock", native_clock},
    {"sleep", native_sleep},
    {"is_yieldable", native_is_yieldable},
    {"process", native_process},
    {"datetime", native_datetime},
    {"distance", native_distance},
    {"is_loopback", native_is_loopback},
    {"error_metatable", native_error_metatable},
    {"verify_webhook", clyL_webhook_verify},
    {"webhook_sign", clyL_webhook_sign},
    {"webhook_error", clyL_webhook_error},
    {"exact_json", clyL_exact_json},
    {"json_member", clyL_json_member},
    {"compact_json", clyL_compact_json},
    {NULL, NULL},
};

CLY_EXPORT int luaopen_connectly_native(lua_State *L);

/* Lua unloads C modules when a state is closed. A thread of libcurl's resolver may still be running
 * then (a call that times out does not wait for it), and OpenSSL has registered exit handlers. `make`
 * links the module so that it is never unloaded; LuaRocks' builtin build accepts no linker flags. The
 * handle is never closed. */
static void stay_loaded(void) {
#if defined(RTLD_NODELETE)
    static const char anchor = 0; /* an address inside this module */
    Dl_info info;
    if (dladdr(&anchor, &info) && info.dli_fname) (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE);
#endif
}

int luaopen_connectly_native(lua_State *L) {
    stay_loaded();
    luaL_newmetatable(L, CLYL_ERROR);
    lua_pop(L, 1);
    clyL_open_client(L);
    clyL_open_webhook(L);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    lua_pushliteral(L, CLY_VERSION);
    lua_setfield(L, -2, "_VERSION");
    lua_pushlightuserdata(L, NULL); /* equal to cjson.null and ngx.null */
    lua_setfield(L, -2, "null");
    return 1;
}
