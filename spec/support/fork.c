/* fork.c - a fork for Lua specs: spec_fork.fork() -> 0 in the child, else its
 * number; spec_fork.wait(number) -> its exit status, or nil when it did not exit. */
#include <lauxlib.h>
#include <lua.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_spec_fork(lua_State *L);

static int spec_fork(lua_State *L) {
    pid_t child = fork();
    if (child < 0) return luaL_error(L, "no fork");
    lua_pushinteger(L, (lua_Integer)child);
    return 1;
}

static int spec_wait(lua_State *L) {
    int status = 0;
    if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0 || !WIFEXITED(status)) return 0;
    lua_pushinteger(L, WEXITSTATUS(status));
    return 1;
}

int luaopen_spec_fork(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, spec_fork);
    lua_setfield(L, -2, "fork");
    lua_pushcfunction(L, spec_wait);
    lua_setfield(L, -2, "wait");
    return 1;
}
