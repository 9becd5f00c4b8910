#!/bin/sh
# run.sh SUITE: builds and tests this work tree in a tree of another Debian suite, and
# ends with one line: "SUITE: N passed, N failed". Where no tree can be had it says so
# in one line and succeeds. TIME_LIMIT is for all of it, in seconds.
set -u
suite=$1
here=$(dirname "$0")
from=$(date +%s)

reason=$(mktemp)
tree=$(setpriv --pdeathsig TERM sh "$here/tree.sh" "$suite" 2>"$reason") || {
  echo "$suite: nothing is tested, no tree can be had: $(tail -n 1 "$reason")"
  rm -f "$reason"
  exit 0
}
rm -f "$reason"

sources() { # the files that git knows or would, as a tar
  git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null
}

result=$(mktemp)
trap 'rm -f "$result"' EXIT
echo "== $suite, from $tree"
limit=${TIME_LIMIT:-1500}
sources | setpriv --pdeathsig TERM timeout --foreground -k 2 "$limit" sh "$here/enter.sh" "$tree" env LIMIT="${LIMIT:-}" SPECS="${SPECS:-}" \
  sh -c 'mkdir /tmp/connectly && cd /tmp/connectly && tar -x && exec sh spec/support/debian/tests.sh' | tee "$result" | sed -u '$d'
summary=$(tail -n 1 "$result" | grep -E '^[0-9]+ passed, [0-9]+ failed$') || {
  echo "the tests did not come to an end (they have $limit s)"
  summary="0 passed, 1 failed"
}
echo "took $(($(date +%s) - from)) s"
echo "$suite: $summary"
case $summary in *' 0 failed') ;; *) exit 1 ;; esac
