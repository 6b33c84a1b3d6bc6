#!/usr/bin/env bash
# The real servers and clients that tests use, as Debian, PyPI and npm have them; only when missing. None is started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=$here/../../build/services # what PyPI and npm give

debian() {
    local missing=() package policy=/usr/sbin/policy-rc.d # what packages ask before they start their service
    for package in bind9 bind9-dnsutils curl mariadb-client-core mariadb-server-core memcached netcat-openbsd \
        openssh-server openssl postgresql-15 swift-account swift-container swift-object swift-proxy wrk; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ ! -e "$policy" ]; then
        trap "rm -f '$policy'" EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

python() {
    cmp -s "$here/requirements.txt" "$to/python/requirements.txt" && return
    python3 -m venv --clear "$to/python"
    "$to/python/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$to/python/"
}

node() {
    cmp -s "$here/node/package-lock.json" "$to/node/installed.json" && return
    mkdir -p "$to/node"
    cp "$here/node/package.json" "$here/node/package-lock.json" "$to/node/"
    npm ci --prefix "$to/node" --no-audit --no-fund --ignore-scripts --loglevel=error
    cp "$here/node/package-lock.json" "$to/node/installed.json"
}

debian
python
node
