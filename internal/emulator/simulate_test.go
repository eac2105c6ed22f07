package emulator

import (
	"bytes"
	"cmp"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestSimulation: it decides as CreateSession does, reads PEM and DER, and writes nothing with errors
// of what it is given.
func TestSimulation(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	named := func(name string) *authority {
		template := leafTemplate()
		template.Subject.CommonName = name
		return root.issue(t, template)
	}
	web, db, forged := named("web-1"), named("db-1"), named("x\ndecision: allowed")
	lasting := func(from, to time.Duration) []byte {
		template := leafTemplate()
		template.NotBefore, template.NotAfter = testNow.Add(from), testNow.Add(to)
		return root.issue(t, template).pem()
	}
	good := trustPolicy(byName, threeActions)
	for name, tt := range map[string]struct {
		policy      string
		certificate []byte
		want        error
		text        string // of the output; of the error, if want is nil and there is one
	}{
		"PEM":               {good, web.pem(), nil, "\ndecision: allowed\n"},
		"DER":               {good, web.cert.Raw, nil, "\ntag x509Subject/CN: web-1\n"},
		"of several, first": {good, append(web.pem(), root.pem()...), nil, "\ndecision: allowed\n"},
		"another name":      {good, db.pem(), ErrNotAllowed, "\ndecision: implicit deny\n"},
		"a CA":              {good, root.pem(), nil, "CreateSession would refuse it"},
		"expired":           {good, lasting(-time.Hour, -time.Second), nil, "CreateSession would refuse it: Untrusted signing certificate"},
		"of tomorrow":       {good, lasting(time.Second, time.Hour), nil, "CreateSession would refuse it: Untrusted signing certificate"},
		"no tag":            {good, forged.pem(), nil, textTags},
		"a key":             {good, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"}), nil, "is a PRIVATE KEY, not a CERTIFICATE"},
		"malformed":         {`{"Statement":[]}`, web.pem(), nil, "the policy: the trust policy: /Statement: Could not parse the policy"},
	} {
		var out bytes.Buffer
		s, err := Simulation{TrustPolicy: []byte(tt.policy), Certificate: tt.certificate, Now: testNow}.Run()
		if err == nil {
			err = cmp.Or(s.WriteText(&out), s.Err())
		}
		switch {
		case tt.want != nil && !errors.Is(err, tt.want):
			t.Errorf("%s: %v", name, err)
		case tt.want == nil && err != nil && (out.Len() > 0 || !strings.Contains(err.Error(), tt.text)):
			t.Errorf("%s: %v, and %s", name, err, &out)
		case err == nil && !strings.Contains(out.String(), tt.text):
			t.Errorf("%s: %s", name, &out)
		}
	}
}
