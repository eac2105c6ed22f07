#!/bin/sh
# After @name@ was installed or upgraded, by any package system. Nothing is enabled, and what does not run is not
# started. Keys, certificates and ledgers are not touched.
set -e
case "${1-}" in abort-*) exit 0 ;; esac

# The user: also in containers and on Alpine, without systemd.
if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers @name@.conf
elif id -u @name@ >/dev/null 2>&1; then
    :
elif command -v useradd >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /var/lib/@name@ --shell /usr/sbin/nologin @name@
else
    addgroup -S @name@
    adduser -S -D -H -h /var/lib/@name@ -s /sbin/nologin -G @name@ @name@
fi
# The folder: one that is there stays as it is. systemd-tmpfiles would need /proc, which a chroot may lack.
if [ ! -e /var/lib/@name@ ]; then
    mkdir -p -m @mode@ /var/lib/@name@
    chown @name@:@name@ /var/lib/@name@
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # What runs goes on with the new program. Requests wait in the socket meanwhile, where there is one.
    systemctl try-restart @services@ ||
        echo "@name@: a service did not start again; see: systemctl status @services@" >&2
fi
