#!/bin/sh
# tree.sh SUITE: prints the directory of a Debian tree of that suite, with all that the
# tests need installed. It lies in the user's cache and is made by debootstrap unless
# it is there. Where no tree can be had the reason goes to standard error, in one line.
set -eu
suite=$1
here=$(dirname "$0")
. "$here/mirror.sh"
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/connectly
tree=$cache/debian-$suite
partial=$tree.partial
keys=$tree.keys
log=$tree.log

fail() {
  echo "$*" >&2
  exit 1
}

check_host() {
  [ "$(id -u)" = 0 ] || fail "only root can make one"
  command -v debootstrap >/dev/null || fail "debootstrap is not installed"
  [ -e "/usr/share/debootstrap/scripts/$suite" ] || fail "debootstrap does not know this suite"
  unshare --mount --pid --fork true 2>/dev/null || fail "this host allows no namespaces"
}

# As the host's apt does it: quickly known, where debootstrap would try for minutes.
check_mirror() { # MIRROR
  timeout -k 5 60 /usr/lib/apt/apt-helper -o Acquire::Retries=0 download-file "$1dists/$suite/Release" "$tree.release" &&
    rm -f "$tree.release"
}

# What runs under a time limit also ends when this script does.
limited() { # SECONDS COMMAND...
  setpriv --pdeathsig TERM timeout --foreground -k 2 "$@"
}

# In namespaces of its own, so that no mount of debootstrap's outlives it.
bootstrap() { # MIRROR
  export_proxies
  limited 600 unshare --mount --pid --fork --kill-child debootstrap --variant=minbase \
    --include=make,ca-certificates --keyring="$keys" "$suite" "$partial" "$1" &&
    configure_apt "$partial" "$1" "$suite" "$keys"
}

install_packages() { # TREE
  tar -c Makefile lua/connectly/version.lua spec/support |
    limited 900 sh "$here/enter.sh" "$1" sh -c 'cd /tmp && tar -x && make deps </dev/null && apt-get clean'
}

# Runs a step; when it fails, so does this script, with the last error of its output.
step() { # FAILURE COMMAND...
  failure=$1
  shift
  "$@" >"$log" 2>&1 </dev/null || {
    rm -rf "$partial"
    fail "$failure: $(grep '^E: ' "$log" | head -n 1)"
  }
}

make_tree() {
  mirror=$(find_mirror) || fail "this host's apt names no Debian mirror"
  step "the mirror does not answer" check_mirror "${mirror%% *}"
  rm -rf "$partial"
  print_keys "${mirror##* }" >"$keys"
  step "debootstrap fails" bootstrap "${mirror%% *}"
  step "its packages cannot be installed" install_packages "$partial"
  mv "$partial" "$tree"
}

check_host
mkdir -p "$cache" 2>/dev/null || fail "$cache cannot be made"
exec 9>"$tree.lock"
flock 9 # another run may be making it
if [ -d "$tree" ]; then
  step "its packages cannot be installed" install_packages "$tree"
else
  make_tree
fi
echo "$tree"
