#!/bin/sh
# install.sh PACKAGE...: installs the Debian packages that are missing, in one apt
# call, because two calls could each remove what the other installed. "a|b" is
# whichever of the two this system has. The servers are needed by the specs alone:
# no service is started or enabled.
set -eu
here=$(dirname "$0")

missing=$(sh "$here/missing_packages.sh" "$@")
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "No apt-get: install by hand what corresponds to:$missing" >&2
  exit 1
fi
become=
[ "$(id -u)" = 0 ] || become=sudo

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
run_apt() {
  $become apt-get "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; exit 1; }
}
run_apt update
missing=$(sh "$here/missing_packages.sh" "$@") # a new system knows its packages only now
echo "installing:$missing"
# shellcheck disable=SC2086
run_apt install -y --no-install-recommends $missing
for server in nginx redis-server; do
  case " $missing " in *" $server "*) $become update-rc.d $server disable >/dev/null 2>&1 || : ;; esac
done
