// Package systemd has units for kedge, which also "kedge enroll --systemd" installs, and tests of them.
package systemd

import "embed"

//go:embed kedge-renew.service kedge-renew.timer kedge.sysusers.conf kedge.tmpfiles.conf
var files embed.FS

// File returns one of the files that are installed.
func File(name string) ([]byte, error) { return files.ReadFile(name) }
