package main

import (
	"encoding/hex"
	"encoding/pem"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
)

// enrollment is the enrollment server of a script, and its key in the values of the script.
type (
	enrollment    struct{ *enrolltest.Server }
	enrollmentKey struct{}
)

// enrollment [CHANGE]: starts a server of a CA, whose root is in enroll-ca.pem, or changes what it does:
//
//	works          everything
//	aws            it names the role of the emulator
//	no-aws         it names none
//	loses          it issues, and the answer is lost
//	refuses CODE   it refuses everything
//	ends           certificates end in a minute
//	approves N     it approves a request that is sent so often
//	denies         it denies the requests that are sent from now on
//	issued NNN     it has issued that many certificates as there are letters
func setEnrollment(ts *testscript.TestScript, args []string) {
	e := ts.Value(enrollmentKey{}).(*enrollment)
	if len(args) == 0 {
		e.Server = enrolltest.New(inScript{ts: ts})
		ts.Setenv("ENROLL_URL", e.URL)
		ts.Setenv("CA_KEY", hex.EncodeToString(e.Pin[:]))
		ts.Setenv("OTHER_KEY", strings.Repeat("0", 64))
		ts.Check(os.WriteFile(ts.MkAbs("enroll-ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Root.Raw}), 0o644))
		return
	}
	e.Between(func() { e.change(ts, args) })
}

func (e *enrollment) change(ts *testscript.TestScript, args []string) {
	switch args[0] {
	case "works":
		e.Lose, e.Refuse = nil, nil
	case "aws":
		aws := enrollapi.AWS{TrustAnchorARN: ts.Getenv("TRUST_ANCHOR"), ProfileARN: ts.Getenv("PROFILE"), RoleARN: ts.Getenv("ROLE"), Region: "eu-west-1"}
		e.Change = func(a *enrollapi.Answer) { a.AWS = &aws }
	case "no-aws":
		e.Change = nil
	case "loses":
		e.Lose = func(string) bool { return true }
	case "refuses":
		e.Refuse = func(string) error {
			return &enrollapi.Error{Code: enrollapi.Code(args[1]), Message: "the CA says no"}
		}
	case "approves":
		var err error
		e.Approve, err = strconv.Atoi(args[1])
		ts.Check(err)
	case "denies":
		e.Approve, e.Deny = 0, true
	case "ends":
		e.Life = time.Minute
	case "issued":
		if e.Issued != len(args[1]) || e.Clones != 0 {
			ts.Fatalf("there are %d certificates and %d clones", e.Issued, e.Clones)
		}
	default:
		ts.Fatalf("unknown change %q", args[0])
	}
}

// token FILE [other]: writes a token, or one of the same server with the key of another CA.
func makeToken(ts *testscript.TestScript, args []string) {
	e := ts.Value(enrollmentKey{}).(*enrollment)
	token := e.Token(inScript{ts: ts})
	if slices.Contains(args, "other") {
		token.CAKey = [enrollapi.KeyHashSize]byte{1}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(token.String()+"\n"), 0o600))
}
