#!/usr/bin/env bash
# Chromium as Debian has it, in which the tests look at the HTML report; only when missing.
set -euo pipefail
command -v chromium >/dev/null && exit 0
apt-get update -q
apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
