#!/bin/sh
# One line of JSON about the host that this runs on. $1: what the fleet calls it.
set -eu
disk=$(df -P / | awk 'NR == 2 { sub("%", "", $5); print $5 }')
memory=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
load=$(cut -d ' ' -f 1 /proc/loadavg)
printf '{"host": "%s", "kernel": "%s", "disk_percent": %d, "memory_mib": %d, "load": %s}\n' \
  "$1" "$(uname -r)" "$disk" "$memory" "$load"
