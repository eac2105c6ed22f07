package awshosts

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/ca/ledger"
)

// known is a ledger that had certificates with these names.
type known map[string]bool

func (known) ValidHosts(context.Context) iter.Seq2[ledger.Certificate, error] {
	return func(func(ledger.Certificate, error) bool) {}
}

func (k known) HasSubject(_ context.Context, subject string) (bool, error) { return k[subject], nil }

// TestJoin: a subject that the ledger has no certificate of is unknown, whatever else it is.
func TestJoin(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		subject string
		enabled bool
		want    string
	}{
		{"CN=stranger", true, Unknown},
		{"CN=stranger", false, Unknown},
		{"CN=former", true, Ended},
		{"CN=former", false, Disabled},
		{"CN=web-01, O=Example", true, Seen},
		{"CN=web-01,O=Example", false, Disabled},
	} {
		hosts := map[string]*Host{key("CN=web-01,O=Example"): {Subject: "CN=web-01,O=Example", State: Never}}
		s := types.SubjectSummary{X509Subject: &tt.subject, Enabled: &tt.enabled, LastSeenAt: &at, SubjectArn: aws.String("arn")}
		if err := join(t.Context(), known{"CN=former": true}, hosts, &s); err != nil {
			t.Fatal(err)
		}
		if h := hosts[key(tt.subject)]; h.State != tt.want || h.LastSeen != &at || h.ARN != "arn" {
			t.Errorf("%+v: %+v", tt, h)
		}
	}
}
