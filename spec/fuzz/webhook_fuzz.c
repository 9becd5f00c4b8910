/* A webhook's body, through the Lua that reads it and the C below that. The input
 * is the body; what must be true of its event stands in webhook_check.lua. */
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/shape_support.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define SECRET "example-secret"

enum { SIGNATURE_SIZE = 44, COUNTERS = 1 << 15, LINES_AT_LEAST = 4000, LINES_A_BYTE = 100 };

int luaopen_connectly_native(lua_State *L);

static lua_State *lua;
static size_t lines;

/* Lua is not instrumented: which lines follow each other is counted by a hook, in
 * counters that libFuzzer looks at beside its own. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static void count(uint32_t what) {
    counters[what % COUNTERS]++;
}

static void count_line(lua_State *L, lua_Debug *at) {
    static const char ours[] = "@lua/connectly/";
    static uint32_t before;
    uint32_t here;
    lua_getinfo(L, "Sl", at);
    lines++;
    if (strncmp(at->source, ours, sizeof ours - 1) != 0) return;
    here = fuzz_hash(at->source, strlen(at->source)) + (uint32_t)at->currentline * 2654435761u;
    count((before >> 1 ^ here) >> 7);
    before = here;
}

static int note(lua_State *L) {
    size_t length;
    const char *what = luaL_checklstring(L, 1, &length);
    count(fuzz_hash(what, length) >> 3);
    return 0;
}

/* ---- the rules ---- */

static void must(int status, const char *what) {
    if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(lua, -1));
    EXPECT(status == LUA_OK, what);
}

static int trace(lua_State *L) {
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

/* Leaves on the stack: trace, and the function that checks. */
static void open_lua(void) {
    EXPECT((lua = luaL_newstate()) != NULL, "memory");
    luaL_openlibs(lua);
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(lua, luaopen_connectly_native);
    lua_setfield(lua, -2, "connectly.native");
    lua_settop(lua, 0);
    must(luaL_dostring(lua, "package.path = 'lua/?.lua;lua/?/init.lua;' .. package.path"), "the path");
    lua_pushcfunction(lua, trace);
    must(luaL_loadfile(lua, "spec/fuzz/webhook_check.lua"), "the rules");
    lua_pushcfunction(lua, note);
    must(lua_pcall(lua, 1, 1, 1), "the rules");
    lua_sethook(lua, count_line, LUA_MASKLINE, 0);
}

static void sign(unsigned char out[SIGNATURE_SIZE + 1], const uint8_t *body, size_t size) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    EXPECT(HMAC(EVP_sha256(), SECRET, sizeof SECRET - 1, body, size, digest, NULL) != NULL, "a digest");
    EXPECT(EVP_EncodeBlock(out, digest, 32) == SIGNATURE_SIZE, "base64");
}

/* Pushes a copy with one bit changed, where there is one. */
static void push_other(const uint8_t *bytes, size_t size, uint32_t bit) {
    luaL_Buffer other;
    char *copy = luaL_buffinitsize(lua, &other, size + 1);
    memcpy(copy, bytes, size);
    if (size > 0) copy[bit / 8 % size] = (char)(copy[bit / 8 % size] ^ 1 << bit % 8);
    luaL_pushresultsize(&other, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t nothing[1];
    unsigned char signature[SIGNATURE_SIZE + 1];
    const uint8_t *body = size ? data : nothing;
    if (lua == NULL) open_lua();
    sign(signature, body, size);
    lines = 0;
    lua_pushvalue(lua, 2);
    lua_pushlstring(lua, (const char *)body, size);
    lua_pushlstring(lua, (const char *)signature, SIGNATURE_SIZE);
    push_other(body, size, fuzz_hash(body, size));
    push_other(signature, SIGNATURE_SIZE, fuzz_hash(body, size));
    must(lua_pcall(lua, 4, 0, 1), "the rules");
    lua_gc(lua, LUA_GCCOLLECT); /* else each run seems to leak, and that is looked into at length */
    EXPECT(lines <= LINES_AT_LEAST + LINES_A_BYTE * size, "time for its length");
    return 0;
}

/* libFuzzer's own changes are of bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
    size_t changed = seed % 2 ? shape_change((char *)data, size, room, seed / 2) : 0;
    return changed ? changed : LLVMFuzzerMutate(data, size, room);
}
