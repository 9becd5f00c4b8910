#!/bin/sh
# Runs every test there is and ends with one line: N passed, N failed.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
make=${MAKE:-make}

. "$(dirname "$0")/tally.sh"

echo "== C"
$make --no-print-directory test-c >"$log" 2>&1
status=$?
[ $status -eq 0 ] || cat "$log"
count_cmocka $status C

echo "== fuzz"
$make --no-print-directory test-fuzz >"$log" 2>&1
status=$?
[ $status -eq 0 ] || tail -n 60 "$log"
count "$(grep -c '^Executed ' "$log")" 0 $status "fuzz"

for target in test-lua test-luajit; do
  # What runs in nginx is LuaJIT, whichever Lua asks it: once is enough.
  [ $target = test-lua ] && specs="" || specs="spec/lua spec/contract"
  echo "== $target"
  $make --no-print-directory $target SPECS="$specs" >"$log" 2>&1
  status=$?
  tail -n +2 "$log"
  count_busted $status $target
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
