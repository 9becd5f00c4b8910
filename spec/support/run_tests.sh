#!/bin/sh
# Runs every test there is and ends with one line: N passed, N failed.
set -u
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
make=${MAKE:-make}

count() { # PASSED FAILED STATUS WHAT
  passed=$((passed + $1))
  failed=$((failed + $2))
  # A runner that failed without a failed test (a crash, say) counts as one.
  [ "$3" -eq 0 ] || [ "$2" -gt 0 ] || failed=$((failed + 1))
  [ "$1" -gt 0 ] || { echo "no test ran: $4" >&2; failed=$((failed + 1)); }
}

sum() { # PATTERN with one number in it: adds up all there are
  grep -oE "$1" "$log" | grep -oE '[0-9]+' | awk '{ n += $1 } END { print n + 0 }'
}

echo "== C"
$make --no-print-directory test-c >"$log" 2>&1
status=$?
[ $status -eq 0 ] || cat "$log"
count "$(sum 'PASSED  \] [0-9]+ test')" "$(sum 'FAILED  \] [0-9]+ test')" $status "C"

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
  count "$(sum '^[0-9]+ success')" "$(($(sum '/ [0-9]+ failure') + $(sum '/ [0-9]+ error')))" $status $target
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
