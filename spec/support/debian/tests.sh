#!/bin/sh
# tests.sh: what `make test-debian` runs in a Debian tree, from a copy of the sources:
# the C tests, the specs of delivery and faults on both Luas (or SPECS), and others once.
# Each has a time limit (LIMIT seconds). Ends with one line: N passed, N failed.
set -u
. spec/support/tally.sh
log=$(mktemp)
limit=${LIMIT:-400}
specs="spec/lua/delivery_spec.lua spec/lua/fault_table_spec.lua"
# For these it does not matter which Lua runs them.
once="spec/lua/fault_server_spec.lua spec/lua/other_luas_spec.lua spec/lua/packaging_spec.lua
  $(ls spec/nginx/*_spec.lua | grep -v limiter_spec)"
# Measures how many messages arrive in a second, so nothing else runs meanwhile.
alone=spec/nginx/limiter_spec.lua
[ -z "${SPECS:-}" ] || specs=$SPECS once= alone=

# Prints the end of what a test wrote, and which of its cases was the last to begin.
show() {
  grep -vE '^\[ (RUN|      OK)' "$log" | tail -n 60
  grep '^\[ RUN' "$log" | tail -n 1
}

# Prints one line for a test that passed, and its output for one that did not.
tell() { # STATUS NAME SECONDS
  [ "$1" -eq 0 ] || show
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

run_spec() { # TARGET SPEC
  run count_gtest "$2, $1" make --no-print-directory "$1" SPECS="-o gtest $2"
}

run count_one build make -k -j2 build build-tests build/5.4/spec_fork.so build/5.1/spec_fork.so
run count_one warnings sh spec/support/warnings.sh
for test in $(find build/spec -name "*_test" | sort); do
  run count_cmocka "${test#build/}" "$test"
done

run_specs() { # SPEC...: on Lua 5.4 alone
  for spec; do
    run_spec test-lua "$spec"
  done
}

# They wait more than they work, so they run beside the others.
beside=$(mktemp)
(log=$(mktemp) passed=0 failed=0; run_specs $once; echo "$passed $failed") >"$beside" 2>&1 &
for spec in $specs; do
  run_spec test-lua "$spec"
  run_spec test-luajit "$spec"
done
wait
sed '$d' "$beside"
counts=$(tail -n 1 "$beside")
passed=$((passed + ${counts% *}))
failed=$((failed + ${counts#* }))
run_specs $alone

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
