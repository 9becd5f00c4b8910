#!/bin/sh
# enter.sh TREE COMMAND...: runs a command as root in a Debian tree, with a /tmp of its
# own. Processes and mounts are in namespaces of their own and end with the command,
# also when this script is killed.
set -eu
cp -L /etc/resolv.conf /etc/hosts "$1/etc/" 2>/dev/null || :
# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child sh -euc '
  tree=$1
  shift
  mount -t proc proc "$tree/proc"
  mount -t tmpfs -o mode=1777 tmpfs "$tree/tmp"
  mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    chroot "$tree" "$@"
' sh "$@"
