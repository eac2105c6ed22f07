#!/bin/sh
# Before @name@ is removed: stops its units. An upgrade stops nothing.
set -e
case "${1-}" in upgrade | failed-upgrade | deconfigure | 1 | 2) exit 0 ;; esac
if [ -d /run/systemd/system ]; then
    systemctl stop @units@ || :
fi
if command -v systemctl >/dev/null; then
    systemctl --no-reload disable @enabled@ >/dev/null 2>&1 || :
fi
