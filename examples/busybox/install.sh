#!/bin/sh
# Enrolls a machine that has busybox, or as old a shell, and no systemd: installs kedge, which is static,
# checks its hash, and renews by cron.
# usage: sh install.sh URL SHA256 < web-01.token
set -eu
url=$1 sha256=$2
new=/usr/local/bin/kedge.new
mkdir -p /usr/local/bin
trap 'rm -f "$new"' EXIT
wget -q -O "$new" "$url"
# The hash comes from you, not from the server that the program comes from: this wget may not check
# certificates of HTTPS.
echo "$sha256  $new" | sha256sum -c - >/dev/null || { echo "install: the program has another hash" >&2; exit 1; }
chmod 755 "$new"
mv "$new" /usr/local/bin/kedge
# crond of busybox reads a file for each user. This comes first: a host that is enrolled renews, whatever else fails.
crontab=/var/spool/cron/crontabs/root
mkdir -p /var/spool/cron/crontabs
grep -qs 'kedge renew' "$crontab" || echo '*/5 * * * * /usr/local/bin/kedge renew --all --quiet' >>"$crontab"
/usr/local/bin/kedge enroll --token-file - --dir /var/lib/kedge/machine --aws-profile default
