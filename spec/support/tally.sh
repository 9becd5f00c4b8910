# Sourced: counts what test runners print. The caller sets $log, the file that a
# runner's output goes to.
passed=0 failed=0

count() { # PASSED FAILED STATUS WHAT
  passed=$((passed + $1))
  failed=$((failed + $2))
  # A runner that failed without a failed test (a crash, say) counts as one.
  [ "$3" -eq 0 ] || [ "$2" -gt 0 ] || failed=$((failed + 1))
  [ "$1" -gt 0 ] || [ "$3" -ne 0 ] || { echo "no test ran: $4" >&2; failed=$((failed + 1)); }
}

sum() { # PATTERN with one number in it: adds up all there are
  grep -oE "$1" "$log" | grep -oE '[0-9]+' | awk '{ n += $1 } END { print n + 0 }'
}

count_cmocka() { # STATUS WHAT; newer versions name the group beside the failures
  count "$(sum 'PASSED  \] [0-9]+ test')" "$(sum 'FAILED  \] ([a-z/_]+: )?[0-9]+ test')" "$1" "$2"
}

count_busted() { # STATUS WHAT
  count "$(sum '^[0-9]+ success')" "$(($(sum '/ [0-9]+ failure') + $(sum '/ [0-9]+ error')))" "$1" "$2"
}

count_gtest() { # STATUS WHAT; of busted -o gtest
  count "$(sum 'PASSED  \] [0-9]+ test')" "$(sum '(FAILED  |ERROR   )\] [0-9]+ (test|error)')" "$1" "$2"
}
