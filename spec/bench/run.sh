#!/bin/sh
# Runs all benchmarks and prints their figures, with the goals beside. What each
# measures, and how, is said at the head of its file. Needs `make build`, and that of
# nginx needs wrk. The soaks, the random faults and the peers take minutes, fail when a
# goal is missed, and run only when they are named.
#
#   sh spec/bench/run.sh [encode|cold_start|throughput|paced|nginx|soak|nginx_soak|random_faults|peers|instructions [argument ...]]
set -e
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build} LUA54=${LUA54:-lua5.4} LUAJIT=${LUAJIT:-luajit}
export BUILD LUA54 LUAJIT
sources='lua/?.lua;lua/?/init.lua;?.lua;;'

# lua-http, for the sandbox, is packaged for older Luas only, and is pure Lua.
older='/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua'

on_54() { LUA_PATH="$sources$older" LUA_CPATH="$BUILD/5.4/?.so;;" "$LUA54" "$@"; }
on_jit() { LUA_PATH="$sources" LUA_CPATH="$BUILD/5.1/?.so;;" "$LUAJIT" "$@"; }

# The objects of the build, and one more file.
make_probe() { # LUA_VERSION PKG_CONFIG_NAME
  # shellcheck disable=SC2046
  ${CC:-cc} -O3 -fPIC -shared -Isrc $(pkg-config --cflags "$2") -o "$BUILD/$1/encode_probe.so" \
    spec/bench/encode_probe.c "$BUILD/$1/obj/binding/lua_source.o" $(find "$BUILD/obj/core" -name "*.o") -lm
}

encode() {
  make_probe 5.4 lua5.4
  make_probe 5.1 luajit
  on_54 spec/bench/encode.lua
  on_jit spec/bench/encode.lua
}

cold_start() {
  on_54 spec/bench/cold_start.lua
}

throughput() {
  on_54 spec/bench/throughput.lua "$@"
}

paced() {
  on_54 spec/bench/paced.lua "$@"
  on_jit spec/bench/paced.lua "$@"
}

soak() {
  on_54 spec/bench/soak.lua "$@"
  on_jit spec/bench/soak.lua "$@"
}

random_faults() {
  on_54 spec/bench/random_faults.lua
}

nginx() {
  on_54 spec/bench/nginx.lua "$@"
}

nginx_soak() {
  on_54 spec/bench/nginx_soak.lua "$@"
}

peers() {
  on_54 spec/bench/peers.lua "$@"
}

instructions() {
  on_54 spec/bench/instructions.lua
}

name=${1:-all}
[ $# -eq 0 ] || shift
case $name in
all) encode; cold_start; throughput; paced; if command -v wrk >/dev/null; then nginx; else echo "nginx: needs wrk"; fi ;;
encode | cold_start | throughput | paced | nginx | soak | nginx_soak | random_faults | peers | instructions) "$name" "$@" ;;
*) echo "encode, cold_start, throughput, paced, nginx, soak, nginx_soak, random_faults, peers or instructions expected, got $name" >&2; exit 2 ;;
esac
