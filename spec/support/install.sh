#!/bin/sh
# Installs those of the named Debian packages that are missing, in one apt call
# (apart, some push others out).
set -eu

missing=
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "Not a Debian: install by hand what corresponds to:$missing" >&2
  exit 1
fi
become=
[ "$(id -u)" = 0 ] || become=sudo

echo "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { $become apt-get update && $become apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  exit 1
fi
