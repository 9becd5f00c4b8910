#!/bin/sh
# missing_packages.sh PACKAGE...: prints those of the Debian packages that are not
# installed. "a|b" stands for the first of a and b that is installed or that apt can
# install; apt knows that only after `apt-get update`.
set -eu

is_installed() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

is_available() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

choose() {
  for alternative in $(echo "$1" | tr '|' ' '); do
    if is_installed "$alternative" || is_available "$alternative"; then break; fi
  done
  echo "$alternative"
}

for package in "$@"; do
  case $package in *'|'*) package=$(choose "$package") ;; esac
  is_installed "$package" || printf ' %s' "$package"
done
