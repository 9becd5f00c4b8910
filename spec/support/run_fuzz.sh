#!/bin/sh
# Runs fuzz targets: run_fuzz.sh search|replay|merge SECONDS TARGET...
#
# A search takes SECONDS for each target, begins with the corpus in spec/fuzz and
# keeps what is new under build-fuzz. An input that breaks a promise is kept there
# too, and the run fails. A merge takes of what is new what adds to the corpus.
set -u
mode=$1 seconds=$2 status=0
shift 2
export UBSAN_OPTIONS=print_stacktrace=1

# shellcheck disable=SC2086
search() { # TARGET
  "$program" -max_total_time="$seconds" $common -dict="spec/fuzz/$1.dict" "$found" "$corpus" \
    2>"build-fuzz/$1.log" || { tail -n 60 "build-fuzz/$1.log"; return 1; }
  tail -n 1 "build-fuzz/$1.log"
}

# How often a way was taken is not counted: that would be four times as many files.
# shellcheck disable=SC2086
merge() { # TARGET
  "$program" -set_cover_merge=1 -use_counters=0 $common "$corpus" "$found" 2>"build-fuzz/$1.log" || { tail -n 60 "build-fuzz/$1.log"; return 1; }
}

# shellcheck disable=SC2086
replay() { # TARGET
  set -- "$corpus"/*
  [ -e "$1" ] || { echo "$corpus: empty"; return 1; }
  "$program" $common "$@" 2>&1
}

for target in "$@"; do
  program=build-fuzz/spec/fuzz/${target}_fuzz
  corpus=spec/fuzz/corpus/$target found=build-fuzz/corpus/$target
  common="-max_len=4096 -timeout=10 -artifact_prefix=build-fuzz/finding-$target-"
  mkdir -p "$found"
  echo "== $mode: $target"
  $mode "$target" || status=1
done
exit $status
