#!/bin/sh
# Kills kedge-ca by kill -9 at random moments while several processes write in parallel, again
# and again: scripts/crash says what must hold. Once with a ledger in SQLite, once with one in
# PostgreSQL, on a server of its own, whose power is cut every tenth time as well.
#
# usage: scripts/crash.sh [ROUNDS]     500 for each ledger when not given
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
rounds=${1:-500}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$work/crash" ./scripts/crash
"$work/crash" "$rounds" build/kedge-ca "$work/sqlite"
scripts/with-postgres "$work/crash" "$rounds" build/kedge-ca "$work/postgres"
