--- endings.lua - socket operations that the Lua modules here lack: ending a connection by RST
--- instead of FIN (SO_LINGER) or with TLS's close_notify; a port on which no connection can be
--- established because its queue is full; a port that stays reserved while nothing listens; and a
--- listener with a small receive buffer.
---
--- The C code is compiled at start. It declares the functions of Lua and OpenSSL that it uses, so
--- that it needs no headers. (lua_Integer and ptrdiff_t are the same type on the 64-bit systems
--- that run these tests.)

local SOURCE = [[
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
typedef struct lua_State lua_State;
ptrdiff_t luaL_checkinteger(lua_State *L, int index);
void *lua_touserdata(lua_State *L, int index);
const char *luaL_checklstring(lua_State *L, int index, size_t *length);
void lua_pushinteger(lua_State *L, ptrdiff_t number);

int reset_on_close(lua_State *L) {
  struct linger at_once = { 1, 0 };
  int fd = (int)luaL_checkinteger(L, 1);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return 0;
}

/* Accepts no connection, and has a queue for one: the kernel silently drops the SYNs of
 * further ones. All sockets stay open as long as the process lives. */
int full_port(lua_State *L) {
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 0)) return 0;
  if (getsockname(listener, (struct sockaddr *)&address, &length)) return 0;
  for (int i = 0; i < 4; i++)
    (void)!connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&address, length);
  lua_pushinteger(L, ntohs(address.sin_port));
  return 1;
}

static int bind_any(struct sockaddr_in *address, socklen_t *length) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)address, *length)) return -1;
  return getsockname(fd, (struct sockaddr *)address, length);
}

/* A port that stays ours while nothing listens on it: it is bound as long as the process
 * lives, and SO_REUSEADDR lets a listener come and go beside that. */
int held_port(lua_State *L) {
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind_any(&address, &length)) return 0;
  lua_pushinteger(L, ntohs(address.sin_port));
  return 1;
}

/* What is accepted takes little at a time: small segments, since the sender's buffer
 * grows with them, and a small buffer here. */
int make_narrow(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1), segment = 536, room = 4096;
  setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
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

--- Returns { reset_on_close = function(fd), say_goodbye = function(ssl), full_port = function(),
---           held_port = function(), make_narrow = function(fd) }.
function endings.build(directory)
  local library = directory .. "/endings.so"
  compile(library)
  local reset_on_close = assert(package.loadlib(library, "reset_on_close"))
  local say_goodbye = assert(package.loadlib(library, "say_goodbye"))
  local full_port = assert(package.loadlib(library, "full_port"))
  local held_port = assert(package.loadlib(library, "held_port"))
  local make_narrow = assert(package.loadlib(library, "make_narrow"))
  os.remove(library) -- loaded by now
  -- libssl is loaded for luaossl alone, so its functions are found through that.
  local luaossl = assert(package.searchpath("_openssl", package.cpath))
  return {
    reset_on_close = reset_on_close, full_port = full_port, held_port = held_port, make_narrow = make_narrow,
    say_goodbye = function(ssl) say_goodbye(ssl, luaossl) end,
  }
end

return endings
