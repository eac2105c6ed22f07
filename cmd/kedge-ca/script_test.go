package main

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/ca"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
)

// who runs kedge-ca who with the text in a file, as another program wrote it, and expects one
// certificate, found by that kind: who FILE KIND.
func who(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile(args[0]))
	ts.Check(ts.Exec("kedge-ca", "who", text))
	if out := ts.ReadFile("stdout"); strings.Count(out, "\n") != 2 || !strings.HasSuffix(out, "  "+args[1]+"\n") {
		ts.Fatalf("%s: %s", text, out)
	}
}

// numbers sets SERIAL, in hex with colons, and FINGERPRINT to those of a certificate: numbers FILE.
func numbers(ts *testscript.TestScript, _ bool, args []string) {
	cert, err := cadir.ReadCertificate(ts.MkAbs(args[0]))
	ts.Check(err)
	var serial bytes.Buffer
	for i, c := range ca.SerialHex(cert) {
		if i > 0 && i%2 == 0 {
			serial.WriteByte(':')
		}
		serial.WriteRune(c)
	}
	ts.Setenv("SERIAL", serial.String())
	ts.Setenv("FINGERPRINT", certinfo.Fingerprint(cert))
}

// keep sets a variable to standard output, without the end of the line: keep NAME.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSuffix(ts.ReadFile("stdout"), "\n"))
}
