#!/usr/bin/env bash
# Renews docs/images/report.png: the page of a run of an example, as Chromium shows it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
tests/tools/chromium/install.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
example=docs/examples/full-disks/full-disks.gxo.yaml
.venv/bin/gxo compile "$example" -o "$work/job.pyz"
# A limit that every host is over, so that the picture shows a failure; the job then ends with 1.
python3 "$work/job.pyz" -e limit=0 --outputs "$work" --report-html "$work/report.html" || test $? = 1
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
    --window-size=1000,1290 --screenshot=docs/images/report.png "file://$work/report.html"
