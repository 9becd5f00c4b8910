# Sourced: how this host's apt reaches Debian, for a tree of another suite.

# Prints the mirror's address and the file of apt's that names it; fails without one.
find_mirror() {
  codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || return 1
  apt-get indextargets --format '$(RELEASE)/$(COMPONENT) $(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' |
    sed -n "s,:[0-9]*\$,,; s,^$codename/main ,,p" | head -n 1 | grep .
}

# Prints all keys that apt trusts for the mirror which SOURCES_FILE names.
print_keys() { # SOURCES_FILE
  signed_by=$(sed -n 's,.*[Ss]igned-[Bb]y[:=] *\(/[^] ]*\).*,\1,p' "$1")
  for keys in $signed_by /etc/apt/trusted.gpg.d/*.gpg /usr/share/keyrings/debian-archive-keyring.gpg; do
    [ ! -s "$keys" ] || cat "$keys"
  done
}

# Proxies for debootstrap, which does not read apt's configuration.
export_proxies() {
  eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
  [ -z "${http_proxy:-}" ] || export http_proxy
  [ -z "${https_proxy:-}" ] || export https_proxy
}

# Lets the apt in TREE use the mirror as the host's does: with its proxies, its
# certificates and its opinion of dates.
configure_apt() { # TREE MIRROR SUITE KEYS
  settings=$1/etc/apt/apt.conf.d/00host
  echo "deb $2 $3 main" >"$1/etc/apt/sources.list"
  cp "$4" "$1/etc/apt/trusted.gpg.d/host.gpg"
  apt-config dump | grep -E '^Acquire::(https?|Check-|Retries|Force|Max-ValidTime)' >"$settings" || :
  sed -n 's,.*"\(/[^"]*\)".*,\1,p' "$settings" | while read -r file; do
    [ ! -f "$file" ] || { mkdir -p "$1${file%/*}" && cp "$file" "$1$file"; }
  done
}
