package caadvice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/hostcert"
)

// TestOf_ledger: each refusal of the ledger has advice, and ends with a documented code.
func TestOf_ledger(t *testing.T) {
	t.Parallel()
	one := ledger.Certificate{Subject: "CN=web-01", Serial: "0a"}
	other := ledger.Certificate{Subject: "CN=web-01", Serial: "0b", IssuedAt: time.Unix(0, 0)}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&ledger.RevokedKeyError{Reason: ca.KeyCompromise}, "make a new key: others may have this one"},
		{&ledger.RevokedKeyError{Reason: ca.Unspecified, Allowable: true}, "make a new key; if this one is as good as before, repeat it with --allow-revoked-key, which the ledger keeps"},
		{&ledger.CloneError{Presented: one, Newest: other}, "find out which of the two is meant to have the name"},
		{&ledger.EndedError{Presented: one, By: &other}, "renew the one that took its place, where its files are; kedge-ca who 0b shows both"},
		{&ledger.EndedError{Presented: one}, `make a new one with "kedge-ca issue"`},
		{&ledger.AnsweredError{Newest: other}, "kedge-ca show 0b --pem writes it again"},
		{&ledger.ChangedError{Name: "ca"}, "see where it stands with kedge-ca status, and run the same again"},
		{&ledger.ClockError{}, "set the clock of this host"},
		{&ledger.RetiredError{Name: "ca"}, "leave --issuer and --parent out"},
		{&ledger.RevokedIssuerError{Name: "ca"}, "make another authority"},
		{&ledger.UnknownIssuerError{}, "issue with an authority of this CA"},
	} {
		err := fmt.Errorf("web-01.pem: %w", tt.err)
		if a := Table().Of(err); !strings.HasPrefix(a.Hint, tt.want) || a.Code != cli.ExitFailed {
			t.Errorf("%T: exit %d: %s\nwant %s", tt.err, a.Code, a.Hint, tt.want)
		}
	}
}

// TestOf_part: the advice for each of those that were not done, once.
func TestOf_part(t *testing.T) {
	t.Parallel()
	revoked := func(name string) hostcert.Failure {
		return hostcert.Failure{Name: name, Err: &hostcert.NotRenewedError{What: name, Why: "it is revoked"}}
	}
	part := &hostcert.PartError{Verb: "renewed", Done: 1, Total: 4, Failed: []hostcert.Failure{revoked("a"), revoked("b"), {Name: "c", Err: &ledger.RevokedKeyError{Allowable: true}}}}
	if hint := Table().Of(part).Hint; strings.Count(hint, "kedge-ca issue") != 1 || !strings.Contains(hint, "; make a new key; ") || Table().Of(part).Code != cli.ExitFailed {
		t.Error(hint)
	}
	part.Err = &ledger.UnreachableError{Where: "db"}
	if hint := Table().Of(part).Hint; !strings.HasPrefix(hint, "check the database") || part.Error() == "renewed 1 of 4" {
		t.Errorf("%v: %s", part, hint)
	}
}
