//go:build cgo && unix

// Command kedge-pkcs11 loads a PKCS#11 module for kedge and kedge-ca, which start it and speak
// with it by its standard input and output; see the comment of package kedge/pkcs11. A module
// is C code of a vendor: in a process of its own it can crash or hang without them, and they
// stay free of cgo.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	// A terminal's Ctrl-C reaches the whole group; this process lives as long as its parent.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	debug.SetTraceback("none") // where it crashed is the module's business
	in, out, err := takeStreams(os.Stdin, os.Stdout)
	if err == nil {
		err = serve(in, out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kedge-pkcs11:", err)
		os.Exit(1)
	}
}
