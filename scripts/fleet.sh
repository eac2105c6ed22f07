#!/bin/sh
# Lets simulated fleets renew at kedge-ca serve, amid faults: scripts/fleet says which, and what must
# hold. Then lets one renew for a simulated year, while its ledger is archived: scripts/year.sh. Prints a
# Markdown table for each.
#
# usage: scripts/fleet.sh [HOSTS [SCENARIO]]     in the first storm, 100000 when not given; SCENARIO is one of kill_one,
#                                                fail_over, restart, outage and year, all when not given
#        scripts/fleet.sh short                  few hosts, all scenarios at the same time, in less than a minute
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
hosts=${1:-100000} smaller=30000 outage=2000 year='1000 365'
[ "$hosts" != short ] || hosts=800 smaller=800 outage=500 year='50 60'
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
year() { scripts/year.sh $year; }

if [ "${1-}" != short ]; then
    for scenario in ${2:-kill_one fail_over restart outage year}; do
        $scenario
    done
    exit
fi
for scenario in kill_one fail_over restart outage year; do
    $scenario >"$work/$scenario.out" &
    pids="$pids $!"
done
failed=0
for pid in $pids; do
    wait "$pid" || failed=1
done
cat "$work"/*.out
exit $failed
