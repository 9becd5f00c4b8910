#!/bin/sh
# run_valgrind.sh C_TEST...: the C tests, then specs on Lua 5.4, under valgrind.
# Specs that talk to the sandbox themselves are left out: the TLS binding that they
# use leaks a little.
set -eu
check="valgrind --quiet --child-silent-after-fork=yes --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect"
for test in "$@"; do
  echo "== $test"
  $check "./$test"
done
echo "== specs on Lua 5.4"
LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua" \
  LUA_CPATH="${BUILD:-build}/5.4/?.so;;" CONNECTLY_SPEC_LUA=lua5.4 \
  $check lua5.4 /usr/bin/busted spec/lua/messages_spec.lua spec/lua/delivery_spec.lua spec/lua/canary_spec.lua \
  spec/lua/webhook_spec.lua
