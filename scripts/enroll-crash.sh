#!/bin/sh
# Kills kedge-ca serve by kill -9 at random moments while hosts enroll, renew and unenroll:
# scripts/enrollcrash says what must hold. Once with a ledger in SQLite; once with two servers and one
# in PostgreSQL.
#
# usage: scripts/enroll-crash.sh [KILLS]     200 for each ledger when not given
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
kills=${1:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$work/enrollcrash" ./scripts/enrollcrash
"$work/enrollcrash" "$kills" build/kedge-ca build/kedge "$work/sqlite"
scripts/with-postgres "$work/enrollcrash" "$kills" build/kedge-ca build/kedge "$work/postgres"
