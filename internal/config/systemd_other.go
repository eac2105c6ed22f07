//go:build !unix

package config

// closeOnExec is for sockets of systemd, which there is not on this system.
func closeOnExec(int) {}
