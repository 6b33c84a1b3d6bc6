#!/usr/bin/env bash
# The real servers and clients that tests use, as Debian has them; only when missing. None is started.
set -euo pipefail
missing=()
for package in bind9 bind9-dnsutils curl netcat-openbsd openssh-server wrk; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
policy=/usr/sbin/policy-rc.d # what packages ask before they start their service
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
