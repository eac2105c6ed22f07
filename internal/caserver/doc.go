// Package caserver runs the enrollment server of a CA in a folder: its sockets, the terms that
// follow from kedge-ca.yaml, reloads, and what systemd wants to know. What a host gets is for
// ca/enroll.
package caserver
