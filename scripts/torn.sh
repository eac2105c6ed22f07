#!/bin/sh
# Kills two updaters of one credentials file by kill -9 at random moments, again and again, while
# ten readers look at it: scripts/torn says what must hold.
#
# usage: scripts/torn.sh [KILLS]     1000 when not given
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$work/torn" ./scripts/torn
"$work/torn" "${1:-1000}" build/kedge "$work"
