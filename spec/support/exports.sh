#!/bin/sh
# Each module exports luaopen_connectly_native and nothing else.
set -u
status=0
for module in "$@"; do
  names=$(nm -D --defined-only "$module" | awk '{ print $3 }' | grep -vE '^(__asan|__ubsan|__odr_asan|_init|_fini)' | tr '\n' ' ')
  if [ "$names" != "luaopen_connectly_native " ]; then
    echo "exports: $module exports $names" >&2
    status=1
  fi
done
exit $status
