#!/usr/bin/env bash
# Makes this machine ready for the tests: Debian's packages with the real proxies and a browser, the pinned client
# libraries of test/clients, and the Python environment in .cache/venv. Does nothing, and quickly, when all is there.
# Installs system packages only as root on Debian; elsewhere it names what is missing and fails, so that no test is
# skipped in silence. It starts nothing, and what a package starts by itself is stopped again.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
venv="$root/.cache/venv"
export PATH="$PATH:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# What must be found, and the Debian package that brings it.
needs=(
  "program:chromium chromium"
  "file:/usr/share/fonts/truetype fonts-liberation"
  "program:squid squid-openssl"
  "program:tinyproxy tinyproxy"
  "program:microsocks microsocks"
  "program:danted dante-server"
  "program:haproxy haproxy"
  "program:nginx nginx"
  "program:wrk wrk"
  "program:curl curl"
  "program:openssl openssl"
  "program:setpriv util-linux"
  "program:unshare util-linux"
  "program:ip iproute2"
  "program:nft nftables"
  "program:promtool prometheus"
  "program:prometheus prometheus"
  "program:strace strace"
  "program:heaptrack heaptrack"
  "program:python3 python3"
  "python:ensurepip python3-venv"
  "file:/usr/include/gssapi/gssapi.h libkrb5-dev"
)

there() {
  local kind=${1%%:*} what=${1#*:}
  case $kind in
    program) command -v "$what" >/dev/null ;;
    python) python3 -c "import $what" 2>/dev/null ;;
    file) [ -e "$what" ] ;;
  esac
}

missing_packages() {
  local need
  for need in "${needs[@]}"; do
    there "${need%% *}" || printf '%s\n' "${need#* }"
  done
  # Debian's plain squid has no https_port; only the build with OpenSSL can stand in for an HTTPS proxy.
  if command -v squid >/dev/null && ! squid -v | grep -q -- --with-openssl; then say squid-openssl; fi
}

install_packages() {
  local packages=("$@") blocker=/usr/sbin/policy-rc.d blocked=
  say "Installing system packages: ${packages[*]}"
  # The tests start these daemons themselves, each with its own settings; Debian's own copies must not take ports.
  if [ ! -e "$blocker" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$blocker"
    chmod 755 "$blocker"
    blocked=yes
  fi
  local ok=yes
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"; } ||
    ok=
  [ -z "$blocked" ] || rm -f "$blocker"
  [ -n "$ok" ] || fail "The packages could not be installed. Read the lines above, then run test/setup.sh again."
}

stop_services() {
  # Not reachable on most test machines; where systemd runs, the packages' own services stay off.
  [ -d /run/systemd/system ] || return 0
  local service
  for service in squid tinyproxy microsocks danted haproxy nginx; do
    systemctl disable --now --quiet "$service" 2>/dev/null || true
  done
}

system_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    fail "The tests need these Debian packages (or what they bring): ${missing[*]}.
Install them (on Debian: sudo apt-get install ${missing[*]}), then run npm test again."
  fi
  install_packages "${missing[@]}"
  stop_services
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" = 0 ] || fail "Still missing after the installation: ${missing[*]}."
}

# A stamp beside what was installed holds the hash of what asked for it.
fresh() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

client_libraries() {
  local stamp="$here/clients/node_modules/.setup-stamp" wanted
  wanted=$(cat "$here/clients/package.json" "$here/clients/package-lock.json" | sha256sum)
  fresh "$stamp" "$wanted" && return 0
  say "Installing the client libraries of test/clients."
  # These clients ask for a newer Node than the one that runs npm; they are run with the one among them.
  npm ci --prefix "$here/clients" --engine-strict=false --no-audit --no-fund --loglevel=error ||
    fail "The client libraries could not be installed from npm. Read the lines above, then run test/setup.sh again."
  printf '%s\n' "$wanted" >"$stamp"
}

python_environment() {
  local stamp="$venv/setup-stamp" wanted
  wanted=$(sha256sum <"$here/clients/requirements.txt")
  fresh "$stamp" "$wanted" && "$venv/bin/python" -c '' 2>/dev/null && return 0
  say "Making the Python environment in .cache/venv."
  mkdir -p "$root/.cache"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps -r "$here/clients/requirements.txt" ||
    fail "The Python packages could not be installed. Read the lines above, then run test/setup.sh again."
  printf '%s\n' "$wanted" >"$stamp"
}

system_packages
client_libraries
python_environment
