#!/bin/sh
# Backs up a CA again and again while it issues, kills the backup at random moments, and restores each that is whole:
#
#   - after a kill -9 there is no backup, or a whole one, and no half of one under any name
#   - each backup passes backup check, and can be restored; the ledger in it is whole, and not older than what was issued
#     before the backup began
#   - the CA goes on to issue, and its ledger is whole at the end
#
# usage: scripts/backup-crash.sh [ROUNDS]     20 when not given
set -eu
cd "$(dirname "$0")/.."
. scripts/flags
export CGO_ENABLED=0
rounds=${1:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/kedge-backup-crash-XXXXXX")
issuer=
end() {
    [ -z "$issuer" ] || kill "$issuer" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fail() {
    echo "backup-crash: round $round: $*" >&2
    exit 1
}

go build -o "$work/kedge-ca" ./cmd/kedge-ca
export KEDGE_CA_DIR="$work/ca" TMPDIR="$work/scratch"
mkdir "$work/scratch" "$work/hosts" "$work/backups"
ca=$work/kedge-ca
"$ca" init --no-password 2>/dev/null
age-keygen -o "$work/secret" 2>/dev/null
age-keygen -y "$work/secret" >"$work/public"
chmod 600 "$work/public"

# A process that issues all the time.
(
    n=0
    while [ ! -e "$work/stop" ]; do
        n=$((n + 1))
        "$ca" issue "host-$n" --out "$work/hosts" 2>/dev/null || echo "host-$n" >>"$work/refused"
    done
) &
issuer=$!

whole=0
killed=0
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    before=$("$ca" ledger verify 2>/dev/null) || fail "the ledger is not whole"
    file=$work/backups/$round.age
    "$ca" backup --recipients-file "$work/public" --output "$file" 2>"$work/log" &
    backup=$!
    # Every fourth is let live. The others die after 0 to 255 ms.
    if [ $((round % 4)) != 0 ]; then
        sleep "0.$(printf %03d "$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')")"
        kill -9 "$backup" 2>/dev/null || true
    fi
    if wait "$backup" 2>/dev/null; then
        [ -e "$file" ] || fail "there is no backup"
    else
        [ $((round % 4)) != 0 ] || fail "$(cat "$work/log")"
        killed=$((killed + 1))
    fi
    rm -rf "$work/scratch" && mkdir "$work/scratch"
    [ "$(find "$work/backups" -mindepth 1 ! -name '*.age' | wc -l)" = 0 ] || fail "left beside the backups: $(ls -a "$work/backups")"
    [ -e "$file" ] || continue
    whole=$((whole + 1))
    "$ca" backup check --identity "$work/secret" "$file" >/dev/null 2>"$work/log" || fail "$(cat "$work/log")"
    "$ca" backup restore --identity "$work/secret" --dir "$work/restored" "$file" >/dev/null 2>"$work/log" || fail "$(cat "$work/log")"
    "$ca" ledger verify --dir "$work/restored" --head "$before" >/dev/null 2>"$work/log" || fail "$(cat "$work/log")"
    rm -rf "$work/restored"
done
touch "$work/stop"
wait "$issuer"
issuer=
[ ! -e "$work/refused" ] || fail "not issued: $(cat "$work/refused")"
"$ca" ledger verify >/dev/null 2>"$work/log" || fail "$(cat "$work/log")"
[ "$whole" -gt 0 ] || fail "no backup was whole"
echo "backup-crash: $rounds rounds: $killed killed, $whole whole backups restored, $(ls "$work/hosts"/*.key | wc -l) certificates issued meanwhile"
