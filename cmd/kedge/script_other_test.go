//go:build !unix

package main

import "os/exec"

// becomeNobody is for root, which there is not on this system.
func becomeNobody(*exec.Cmd) {}
