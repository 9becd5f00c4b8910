#!/bin/sh
# Compiles the project against the libcurl that is installed in a directory, and runs
# the tests that send: the C tests of io and binding, and the specs below on both
# Luas. Ends with one line: N passed, N failed.
#   sh spec/support/run_libcurl.sh PREFIX
set -u
. "$(dirname "$0")/tally.sh"
make=${MAKE:-make}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
prefix=$1
seconds=${LIMIT:-600} # for each C test and each spec: with some versions they hang

refuse() {
  echo "test-libcurl: $1" >&2
  exit 1
}

first() { # the first of some paths that exists
  for path; do
    [ ! -e "$path" ] || { readlink -f "$path"; return; }
  done
}

header=$(first "$prefix"/include/curl/curlver.h "$prefix"/include/*/curl/curlver.h)
library=$(first "$prefix"/lib/libcurl.so "$prefix"/lib64/libcurl.so "$prefix"/lib/*/libcurl.so)
[ -n "$header" ] && [ -n "$library" ] || refuse "no libcurl with headers in $prefix; PREFIX says where one is"
headers=$(dirname "$(dirname "$header")") folder=$(dirname "$library")
version=$(sed -n 's/^#define LIBCURL_VERSION "\(.*\)"/\1/p' "$header")
build=build-libcurl-$version

export CURL_CFLAGS="-I$headers"
export CURL_LDFLAGS="-L$folder -Wl,--disable-new-dtags,-rpath,$folder"
# A test that finds another library in its process fails.
export CONNECTLY_SPEC_LIBCURL="$library" CONNECTLY_SPEC_LIBCURL_VERSION="$version"

compile() {
  # make does not see that the compiler's flags have changed.
  [ "$(cat "$build/libcurl" 2>/dev/null)" = "$library" ] || rm -rf "$build"
  mkdir -p "$build" && echo "$library" >"$build/libcurl"
  $make --no-print-directory BUILD="$build" build test-libcurl-programs >"$log" 2>&1 && return
  cat "$log" >&2
  refuse "it does not compile"
}

limited() { # COMMAND: one that hangs is ended, with all that it started
  timeout -k 10 "$seconds" "$@" >"$log" 2>&1
  status=$?
  [ $status -ne 124 ] || echo "did not end within $seconds seconds" >>"$log"
}

run_c() { # PROGRAM
  echo "== $1"
  limited "./$1"
  [ $status -eq 0 ] || cat "$log"
  count_cmocka $status "$1"
}

run_spec() { # TARGET SPEC
  echo "== $1 $2"
  limited "$make" --no-print-directory BUILD="$build" "$1" SPECS="--helper=spec/support/libcurl.lua $2"
  tail -n +2 "$log"
  count_busted $status "$1 $2"
}

echo "== libcurl $version, $library"
compile
for program in $(find "$build/spec/io" "$build/spec/binding" -name "*_test" | sort); do
  run_c "$program"
done
for target in test-lua test-luajit; do
  for name in delivery endpoint_delivery fault_table lying_libcurl dropped fork many transport_window transport_kept_connection transport_silence transport_goaway transport_streams transport_mixed transport_backpressure transport_early_reply transport_queue transport_outage transport_repeats transport_age transport_texts certificates rate limiter campaigns proxy; do
    run_spec $target spec/lua/${name}_spec.lua
  done
done
# What runs in nginx is LuaJIT, whichever Lua asks it.
run_spec test-lua spec/nginx/host_spec.lua
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
