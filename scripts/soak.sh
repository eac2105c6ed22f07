#!/bin/sh
# Lets kedge serve run under load while its endpoint fails in every way, its certificate changes
# again and again, and its sessions are short: scripts/soak says what must hold.
#
# usage: scripts/soak.sh [DURATION]     10m when not given
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$work/soak" ./scripts/soak
"$work/soak" "${1:-10m}" build "$work"
