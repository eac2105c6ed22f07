#!/bin/sh
# After @name@ was removed, or purged. Keys, certificates and ledgers stay: this only names them.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload || :
# dpkg purges in a second step; rpm passes the number of versions that stay, apk the version.
case "${1-}" in remove | upgrade | failed-upgrade | abort-* | disappear | 1 | 2) exit 0 ;; esac
rmdir /var/lib/@name@ /etc/@name@ 2>/dev/null || :
left=
for path in /var/lib/@name@ /etc/@name@; do
    [ ! -e "$path" ] || left="$left $path"
done
[ -z "$left" ] || echo "@name@: keys, certificates and settings were left in$left. To delete them: rm -r$left" >&2
! id -u @name@ >/dev/null 2>&1 || echo "@name@: the user @name@ was left, who may own files. To delete it: userdel @name@" >&2
