#!/bin/sh
# Lets simulated fleets renew at kedge-ca serve, amid faults: scripts/fleet says which, and what must
# hold. Prints a Markdown table for each.
#
# usage: scripts/fleet.sh [HOSTS]     in the first storm, 100000 when not given
#        scripts/fleet.sh short       few hosts, all scenarios at the same time, in less than a minute
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
hosts=${1:-100000} smaller=30000 outage=2000
[ "$hosts" != short ] || hosts=800 smaller=800 outage=500
[ "$hosts" -ge "$smaller" ] || smaller=$hosts
work=$(mktemp -d)
pids=
trap '[ -z "$pids" ] || kill $pids 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -trimpath -ldflags '-s -w' -o "$work/" ./cmd/kedge-ca ./scripts/bench/enroll-floor ./scripts/fleet
fleet() { # SCENARIO HOSTS
    "$work/fleet" "$@" "$work/kedge-ca" "$work/enroll-floor" "$work"
}
kill_one() { scripts/with-postgres "$work/fleet" kill "$hosts" "$work/kedge-ca" "$work/enroll-floor" "$work"; }
fail_over() { scripts/with-postgres --replica "$work/fleet" replica "$smaller" "$work/kedge-ca" "$work/enroll-floor" "$work"; }
restart() { fleet storm "$smaller"; }
outage() { fleet outage "$outage"; }

if [ "${1-}" != short ]; then
    kill_one
    fail_over
    restart
    outage
    exit
fi
for scenario in kill_one fail_over restart outage; do
    $scenario >"$work/$scenario.out" &
    pids="$pids $!"
done
failed=0
for pid in $pids; do
    wait "$pid" || failed=1
done
cat "$work"/*.out
exit $failed
