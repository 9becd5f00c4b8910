#!/bin/sh
# Every source compiles without a warning under gcc and under clang, for both Luas;
# gcc warns of other things at -O3, which the Makefile uses, than at -O2.
set -u
status=0
flags="-std=c11 -Wall -Wextra -pedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wcast-qual -Werror -Isrc"
for compiler in "gcc -O2" "gcc -O3" "clang -O2"; do
  for file in $(find src -name "*.c"); do
    for lua in lua5.4 luajit; do
      case $file in src/binding/*) ;; *) [ $lua = lua5.4 ] || continue ;; esac
      # shellcheck disable=SC2046,SC2086
      $compiler $flags $(pkg-config --cflags $lua) -c "$file" -o /dev/null || status=1
    done
  done
done
exit $status
