#!/bin/sh
# lua -> binding -> io -> core. Compares what the sources include and what their objects
# call with layers.rules.
set -u
status=0
fault() { echo "layers: $1" >&2; status=1; }

grep -lrE "LUA_VERSION_NUM|LUAJIT_VERSION" src/binding | grep -v compat.h && fault "only compat.h may look at the Lua version"

# A comparison that ends early tells a forger how far the signature was right.
grep -nE '\b(memcmp|strcmp|strncmp) *\([^)]*(signature|ours|digest)' -r src/core --include='*.[ch]' &&
  fault "core must compare signatures in constant time"
grep -q 'CRYPTO_memcmp(ours, signature, SIGNATURE_SIZE) == 0) is_good = true;' src/core/reply/webhook.c \
  || fault "core/reply/webhook must look at every secret, by CRYPTO_memcmp"

# Compiled apart from the build, without its sanitizers. The flags keep compilers from
# writing other calls than the source does, and constants in writable sections.
FLAGS="-std=c11 -w -O1 -fno-builtin -fno-pie -fno-stack-protector -U_FORTIFY_SOURCE"
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

compile() { # NAME LAYER [FLAG...]: into $objects/NAME, by the path of each source
  name=$1 layer=$2
  shift 2
  for file in $(find "src/$layer" -name '*.c'); do
    object="$objects/$name/${file%.c}.o"
    mkdir -p "${object%/*}" && ${CC:-gcc} $FLAGS -Isrc ${CURL_CFLAGS:-} "$@" -c "$file" -o "$object" || return 1
  done
}

lua_flags() { pkg-config --cflags "$1" 2>/dev/null || echo "-I/usr/include/$2"; }

(compile shared core) & core=$!
(compile shared io) & io=$!
(compile 5.4 binding ${LUA54_CFLAGS:-$(lua_flags lua5.4 lua5.4)}) || fault "the binding does not compile"
(compile 5.1 binding ${LUAJIT_CFLAGS:-$(lua_flags luajit luajit-2.1)}) || fault "the binding does not compile for LuaJIT"
wait $core || fault "core does not compile"
wait $io || fault "io does not compile"

facts() {
  find src -name '*.[ch]' -o -name '*.def' | sed 's/^/file /'
  grep -rE '^[[:space:]]*#[[:space:]]*include' src --include='*.[ch]' --include='*.def' |
    sed -E 's/^([^:]*):[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]?([^">[:space:]]*).*/include \1 \2/'
  find "$objects" -name '*.o' -exec nm -A -P {} + | awk -v root="$objects/" '{
    file = substr($1, length(root) + 1); sub(/^[^\/]*\//, "", file); sub(/\.o:$/, ".c", file)
    if ($3 ~ /^[Uvw]$/) print "call", file, $2
    if ($3 ~ /^[TWVRDB]$/) print "define", file, $2
    if ($3 ~ /^[BbCDd]$/) print "state", file, $2
  }'
}

# Two types of one name cannot be told apart by a reader, nor compiled together.
twice=$(grep -rhoE '^\} cly_[a-z0-9_]+;|^typedef struct cly_[a-z0-9_]+ cly_[a-z0-9_]+;' src --include='*.h' |
  sed -E 's/.*[ ](cly_[a-z0-9_]+);/\1/' | sort | uniq -d)
[ -z "$twice" ] || fault "types declared twice: $twice"

"${LUA54:-lua5.4}" spec/support/lua_layers.lua || status=1
facts | sort -u | awk -f spec/support/layers.awk spec/support/layers.rules - || status=1
exit $status
