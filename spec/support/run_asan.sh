#!/bin/sh
# All tests of C code under AddressSanitizer and UndefinedBehaviorSanitizer, with
# the collector at its most aggressive: C tests, then the specs that call the
# module in their own process, on both Luas.
set -eu
make=${MAKE:-make}
flags="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
specs="spec/lua/messages_spec.lua spec/lua/client_spec.lua spec/lua/errors_spec.lua spec/lua/delivery_spec.lua spec/lua/canary_spec.lua spec/lua/webhook_spec.lua spec/lua/many_spec.lua spec/lua/fork_spec.lua spec/lua/dropped_spec.lua spec/lua/reentry_spec.lua spec/lua/campaigns_spec.lua spec/lua/transport_kept_connection_spec.lua spec/lua/transport_goaway_spec.lua spec/lua/transport_streams_spec.lua spec/lua/transport_silence_spec.lua"
library=$(${CC:-gcc} -print-file-name=libasan.so)

# For the sandbox, a process of its own without the sanitizers.
$make --no-print-directory build
$make --no-print-directory BUILD=build-asan CFLAGS="$flags" LDFLAGS="-fsanitize=address,undefined" build \
  build-asan/5.4/spec_fork.so build-asan/5.1/spec_fork.so
ASAN_OPTIONS=detect_leaks=1 \
  $make --no-print-directory BUILD=build-asan CFLAGS="$flags" test-c

# The interpreters are not built with it, so the runtime is loaded first. LuaJIT
# keeps its objects where LeakSanitizer does not look.
export LD_PRELOAD="$library"
for run in "lua5.4 5.4 detect_leaks=0" "luajit 5.1 detect_leaks=0"; do
  # shellcheck disable=SC2086
  set -- $run
  echo "== $1 under ASan and UBSan"
  older=""
  [ "$1" = luajit ] || older="/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"
  # shellcheck disable=SC2086
  ASAN_OPTIONS=$3 UBSAN_OPTIONS=print_stacktrace=1 CONNECTLY_SPEC_LUA=$1 \
    LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;$older" LUA_CPATH="build-asan/$2/?.so;;" \
    $1 /usr/bin/busted --helper=spec/support/aggressive.lua $specs
done
