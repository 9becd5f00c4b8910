--- endings.lua - two ways to end a connection that no Lua module here knows: RST
--- in place of FIN (SO_LINGER), and TLS's good-bye (close_notify).
---
--- The few lines of C are built at start. They declare what they use of Lua and
--- OpenSSL themselves, so that no header has to be found. (lua_Integer and
--- ptrdiff_t are the same on the 64-bit systems that these tests run on.)

local SOURCE = [[
#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>
typedef struct lua_State lua_State;
ptrdiff_t luaL_checkinteger(lua_State *L, int index);
void *lua_touserdata(lua_State *L, int index);
const char *luaL_checklstring(lua_State *L, int index, size_t *length);

int reset_on_close(lua_State *L) {
  struct linger at_once = { 1, 0 };
  int fd = (int)luaL_checkinteger(L, 1);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return 0;
}

int say_goodbye(lua_State *L) {
  void **ssl = lua_touserdata(L, 1); /* luaossl keeps an SSL * in its userdata */
  void *luaossl = dlopen(luaL_checklstring(L, 2, NULL), RTLD_LAZY);
  int (*ssl_shutdown)(void *) = (int (*)(void *))dlsym(luaossl, "SSL_shutdown");
  ssl_shutdown(*ssl);
  dlclose(luaossl);
  return 0;
}
]]

local endings = {}

local function compile(library)
  local command = ("%s -x c -shared -fPIC -o '%s' -"):format(os.getenv("CC") or "cc", library)
  local compiler = assert(io.popen(command, "w"))
  compiler:write(SOURCE)
  assert(compiler:close(), "the fault server needs a C compiler")
end

--- Returns { reset_on_close = function(fd), say_goodbye = function(ssl) }.
function endings.build(directory)
  local library = directory .. "/endings.so"
  compile(library)
  local reset_on_close = assert(package.loadlib(library, "reset_on_close"))
  local say_goodbye = assert(package.loadlib(library, "say_goodbye"))
  os.remove(library) -- loaded by now
  -- libssl is loaded for luaossl alone, so its functions are found through that.
  local luaossl = assert(package.searchpath("_openssl", package.cpath))
  return {
    reset_on_close = reset_on_close,
    say_goodbye = function(ssl) say_goodbye(ssl, luaossl) end,
  }
end

return endings
