#!/usr/bin/env bash
# Go and Sprig as Debian has them, with which the templates' property test compares; only when missing.
set -euo pipefail
missing=()
for package in golang-go golang-github-masterminds-sprig-dev; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"
