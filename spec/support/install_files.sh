#!/bin/sh
# install_files.sh PREFIX LUA_VERSION MODULE INTERPRETER: lays the library out under
# PREFIX as LuaRocks and the interpreters expect it, and the documents in share/doc/connectly.
set -eu
prefix=$1 version=$2 module=$3 interpreter=$4

mkdir -p "$prefix/lib/lua/$version/connectly" "$prefix/share/lua/$version" "$prefix/bin"
install -m 755 "$module" "$prefix/lib/lua/$version/connectly/native.so"
(cd lua && find connectly -name '*.lua') | while read -r file; do
  mkdir -p "$prefix/share/lua/$version/$(dirname "$file")"
  install -m 644 "lua/$file" "$prefix/share/lua/$version/$file"
done

# The documents, with the links between them: the guides lie beside the examples.
documents=$prefix/share/doc/connectly
for file in README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE lua/REFERENCE.md $(find examples -type f); do
  mkdir -p "$documents/$(dirname "$file")"
  install -m 644 "$file" "$documents/$file"
done

mkdir -p "$prefix/share/man/man1"
install -m 644 examples/command-line/connectly.1 "$prefix/share/man/man1/connectly.1"

# The command finds this very library, wherever the prefix is.
cat >"$prefix/bin/connectly" <<SCRIPT
#!/usr/bin/env $interpreter
local here = (arg[0]:match("^(.*)/[^/]*\$") or ".") .. "/.."
package.path = here .. "/share/lua/$version/?.lua;" .. here .. "/share/lua/$version/?/init.lua;" .. package.path
package.cpath = here .. "/lib/lua/$version/?.so;" .. package.cpath
os.exit(require("connectly.cli").main(arg))
SCRIPT
chmod 755 "$prefix/bin/connectly"
