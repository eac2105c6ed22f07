#!/bin/sh
# Lets a fleet renew for a simulated year while its ledger is archived: scripts/fleet/year. With SQLite, and
# with PostgreSQL.
#
# usage: scripts/year.sh [HOSTS [DAYS]]
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
hosts=${1:-1000} days=${2:-365}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
go build -trimpath -o "$work/year" ./scripts/fleet/year
build/kedge-ca init --no-password --name 'Year CA' --dir "$work/ca" 2>/dev/null
mkdir "$work/archive" "$work/archive-postgres"
echo "SQLite, $hosts hosts, $days days:"
"$work/year" "$work/ca/ca.pem" "$work/ca/ca.key" "$work/ca/ledger.db" "$work/archive" "$hosts" "$days"
echo "PostgreSQL:"
scripts/with-postgres sh -ec 'printf "ledger: %s\n" "$KEDGE_POSTGRES" > "$1/postgres.yaml"
build/kedge-ca init --no-password --name "Year CA" --dir "$1/ca2" --config "$1/postgres.yaml" 2>/dev/null
"$1/year" "$1/ca2/ca.pem" "$1/ca2/ca.key" "$KEDGE_POSTGRES" "$1/archive-postgres" "$2" "$3"' sh "$work" "$hosts" "$days"
