#!/bin/sh
# tests.sh: what `make test-debian` runs in a Debian tree, from a copy of the sources:
# the C tests and the specs of delivery and faults on both Luas, then those for which
# the Lua that runs them does not matter. Each has a time limit (LIMIT seconds). Ends
# with one line: N passed, N failed.
set -u
. spec/support/tally.sh
log=$(mktemp)
limit=${LIMIT:-240}
specs=${SPECS:-spec/lua/delivery_spec.lua spec/lua/fault_table_spec.lua}
once=${SPECS:+none}
once=${once:-spec/lua/fault_server_spec.lua spec/lua/other_luas_spec.lua spec/lua/packaging_spec.lua spec/nginx/*_spec.lua}

# Prints one line for a test that passed, and its output for one that did not.
tell() { # STATUS NAME SECONDS
  [ "$1" -eq 0 ] || tail -n 60 "$log"
  case $1 in
    0) echo "ok $2 ($3 s)" ;;
    124 | 137) echo "FAILED $2: no end after $limit s" ;;
    *) echo "FAILED $2 ($3 s)" ;;
  esac
}

run() { # COUNT NAME COMMAND...
  counting=$1 name=$2
  shift 2
  from=$(date +%s)
  timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
  status=$?
  tell $status "$name" $(($(date +%s) - from))
  $counting $status "$name"
}

count_one() { # STATUS NAME: something without tests of its own
  [ "$1" -eq 0 ] && count 1 0 0 "$2" || count 0 1 1 "$2"
}

run count_one build make -k -j2 build build-tests build/5.4/spec_fork.so build/5.1/spec_fork.so
run count_one warnings sh spec/support/warnings.sh
for test in build/spec/*/*_test; do
  run count_cmocka "${test#build/}" "$test"
done
for spec in $specs; do
  run count_busted "$spec" make --no-print-directory test-lua SPECS="$spec"
  run count_busted "$spec on LuaJIT" make --no-print-directory test-luajit SPECS="$spec"
done
for spec in $once; do
  [ "$spec" = none ] || run count_busted "$spec" make --no-print-directory test-lua SPECS="$spec"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
