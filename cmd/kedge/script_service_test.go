package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/internal/emulator"
)

// emulator CA [tls]: starts the emulator with CA.pem as its trust anchor and sets ENDPOINT, HOST
// and the three ARNs; with tls, server-ca.pem vouches for it. Another account has roles to assume:
// hub, and in its path locked those that ask for an external id, or do not allow an action.
func startEmulator(ts *testscript.TestScript, args []string) {
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: []byte(ts.ReadFile(args[0] + ".pem"))}}})
	ts.Check(err)
	const other = "arn:aws:iam::444455556666:role/"
	for _, role := range []emulator.Role{
		{ARN: other + "hub"},
		{ARN: other + "locked/id", ExternalID: "2f1c"},
		{ARN: other + "locked/tags", Actions: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}},
		{ARN: other + "locked/identity", Actions: []string{"sts:AssumeRole", "sts:TagSession"}},
	} {
		ts.Check(e.PutRole(role))
	}
	listen(ts, e.Handler(), len(args) > 1)
	ts.Setenv("TRUST_ANCHOR", e.TrustAnchorARN())
	ts.Setenv("PROFILE", e.ProfileARN())
	ts.Setenv("ROLE", e.RoleARN())
}

// fault FAULT...: the emulator's next requests meet these.
func injectFault(ts *testscript.TestScript, args []string) {
	for _, fault := range args {
		response, err := http.Post(ts.Getenv("ENDPOINT")+"/_emulator/faults", "text/plain", strings.NewReader(fault))
		ts.Check(err)
		if response.StatusCode >= 300 {
			text, _ := io.ReadAll(response.Body)
			ts.Fatalf("fault %s: %s", fault, text)
		}
		response.Body.Close()
	}
}

func listen(ts *testscript.TestScript, handler http.Handler, tls bool) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail on purpose
	if tls {
		server.StartTLS()
		ts.Check(os.WriteFile(ts.MkAbs("server-ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644))
	} else {
		server.Start()
	}
	ts.Defer(func() {
		server.CloseClientConnections() // an endless answer would be waited for
		server.Close()
	})
	ts.Setenv("ENDPOINT", server.URL)
	ts.Setenv("HOST", server.Listener.Addr().String())
}
