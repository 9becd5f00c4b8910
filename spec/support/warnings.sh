#!/bin/sh
# Every source compiles without a warning under gcc and under clang, for both Luas.
set -u
status=0
flags="-std=c11 -Wall -Wextra -pedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wcast-qual -Werror -O2 -Isrc"
for compiler in gcc clang; do
  for file in src/*/*.c; do
    for lua in lua5.4 luajit; do
      case $file in src/binding/*) ;; *) [ $lua = lua5.4 ] || continue ;; esac
      # shellcheck disable=SC2046,SC2086
      $compiler $flags $(pkg-config --cflags $lua) -c "$file" -o /dev/null || status=1
    done
  done
done
exit $status
