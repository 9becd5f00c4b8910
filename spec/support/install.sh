#!/bin/sh
# Installs those of the named Debian packages that are missing, in one apt call
# (apart, some push others out). The servers among them are for the specs alone:
# no service is started or enabled.
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
policy=/usr/sbin/policy-rc.d
made=
trap 'rm -f "$log"; [ -z "$made" ] || $become rm -f "$policy"' EXIT
trap 'exit 130' INT TERM
# Debian asks this program before it starts a service.
if [ ! -e $policy ]; then
  made=yes
  printf '#!/bin/sh\nexit 101\n' | $become tee $policy >/dev/null
  $become chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { $become apt-get update && $become apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  exit 1
fi
for server in nginx redis-server; do
  case " $missing " in *" $server "*) $become update-rc.d $server disable >/dev/null 2>&1 || : ;; esac
done
