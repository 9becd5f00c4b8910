#!/bin/sh
# lua -> binding -> io -> core -> libc, libcrypto; libcurl only in io.
# Checks the includes, and asks nm what the core's objects really call.
set -u
status=0
fault() { echo "layers: $1" >&2; status=1; }

forbid() { # DIRECTORY PATTERN WHAT
  found=$(grep -nE "$2" src/"$1"/*.[ch] src/"$1"/*.def 2>/dev/null) && fault "$1 must not $3:
$found"
}

forbid core '#include [<"](lua|lauxlib|lualib|curl|sqlite3|pthread|time|sys/|unistd|errno)' 'include Lua, libcurl, clocks or the system'
forbid core '#include "(io|binding)/' 'include io or binding'
forbid core '\b(getenv|fopen|printf|abort|exit|rand|random|clock_gettime) *\(' 'touch the world'
for layer in core io binding; do
  forbid $layer '#include [<"]jansson' 'include jansson: it does not survive a lack of memory'
done
forbid io '#include [<"](lua|lauxlib|lualib)' 'include Lua'
forbid io '#include "binding/' 'include binding'
grep -lE 'LUA_VERSION_NUM|LUAJIT_VERSION' src/binding/*.[ch] | grep -v compat.h && fault "only compat.h may look at the Lua version"
grep -nE '\bcurl_(easy|multi)_' src/binding/*.[ch] src/core/*.[ch] && fault "only io may call libcurl"

# What compares early ends early, and tells a forger how far he came.
forbid core '\b(memcmp|strcmp|strncmp) *\([^)]*(signature|ours|digest)' 'compare signatures in other than constant time'
grep -q 'CRYPTO_memcmp(ours, signature, SIGNATURE_SIZE) == 0) is_good = true;' src/core/webhook.c \
  || fault "core/webhook must look at every secret, by CRYPTO_memcmp"

# Compiled apart from the build, without its sanitizers and such.
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for file in src/core/*.c; do
  ${CC:-gcc} -std=c11 -Isrc -c "$file" -o "$objects/$(basename "$file" .c).o" || fault "$file does not compile"
done
calls=$(nm -u "$objects"/*.o | grep -E ' (lua_|luaL_|curl_|sqlite3_|pthread_|clock_|time$|gettimeofday|rand|random|srand|arc4random|getrandom|getenv|open$|fopen|printf$|abort|exit$)')
[ -z "$calls" ] || fault "core calls what it must not:
$calls"
exit $status
