#!/usr/bin/env bash
# Installs the programs that tests compare with or check by; without CI=true, tests that need a missing one
# are skipped and say so.
# Needs Debian or Ubuntu, and root or sudo without a password; elsewhere it does nothing and says so.
set -euo pipefail

packages=(nginx haproxy wrk prometheus curl caddy openssl iproute2 systemd python3 nghttp2-client)
programs=(nginx haproxy wrk promtool curl caddy openssl ss systemd-analyze systemd-notify python3 h2load)

missing=()
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ "${#missing[@]}" = 0 ]; then
  exit 0
fi
as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || { [ "${#as_root[@]}" -gt 0 ] && ! sudo -n true 2>/dev/null; }; then
  echo "Not installed, for lack of apt-get or root: ${missing[*]}"
  exit 0
fi

# A package must not start a service of its own here.
policy=/usr/sbin/policy-rc.d
printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
"${as_root[@]}" chmod +x "$policy"
trap '"${as_root[@]}" rm -f "$policy"' EXIT
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
