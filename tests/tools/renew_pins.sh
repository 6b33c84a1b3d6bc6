#!/usr/bin/env bash
# Renew the hash-pinned requirements files; no index address gets into them.
set -euo pipefail
cd "$(dirname "$0")/../.."
compile() {
  .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate "$1" -o "$2"
}
compile compiler/requirements/gxo.in compiler/requirements/gxo.txt
compile compiler/requirements/linked.in stdlib/gxo/stdlib/linked.txt
compile compiler/requirements/dev.in compiler/requirements/dev.txt
compile tests/services/requirements.in tests/services/requirements.txt
compile tests/fuzz/requirements.in tests/fuzz/requirements.txt
compile tests/bench/peers/requirements.in tests/bench/peers/requirements.txt
npm install --prefix tests/services/node --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
