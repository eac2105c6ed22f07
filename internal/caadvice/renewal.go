package caadvice

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/advice"
	"kedge/internal/hostcert"
)

// renewal is about what the ledger refuses to issue and to renew, and about work on several
// certificates that was done in part.
func renewal() advice.Table {
	const anew = "make a new one with \"kedge-ca issue\", with files of another name or folder"
	return advice.Table{
		advice.About(renewals),
		advice.About(func(e *hostcert.NotRenewedError) string {
			if e.Authority {
				return "kedge-ca renew --authority NAME; kedge-ca status has the names"
			}
			return anew
		}),
		advice.About(revokedKey),
		advice.About(func(e *ledger.CloneError) string {
			return fmt.Sprintf("find out which of the two is meant to have the name, and give it a new key with \"kedge-ca issue\"; if the other one is not trusted: kedge-ca revoke --serial %s --reason key-compromise", e.Newest.Serial)
		}),
		advice.About(func(e *ledger.EndedError) string {
			if e.By == nil {
				return anew
			}
			return fmt.Sprintf("renew the one that took its place, where its files are; kedge-ca who %s shows both", e.By.Serial)
		}),
		advice.About(func(e *ledger.AnsweredError) string {
			return fmt.Sprintf("kedge-ca show %s --pem writes it again; kedge-ca renew renews it", e.Newest.Serial)
		}),
		advice.Kind[*ledger.ChangedError]("see where it stands with kedge-ca status, and run the same again"),
		advice.Kind[*ledger.ClockError]("set the clock of this host, with NTP, and run the same again"),
		advice.Kind[*ledger.UnknownIssuerError]("issue with an authority of this CA: kedge-ca status shows them"),
	}
}

// renewals are what to do about each of several, once. What stopped all of them has its own row.
func renewals(e *hostcert.PartError) string {
	if e.Err != nil {
		return ""
	}
	var all []string
	for _, f := range e.Failed {
		if hint := Table().Of(f.Err).Hint; hint != "" && !slices.Contains(all, hint) {
			all = append(all, hint)
		}
	}
	return strings.Join(all, "; ")
}

// list is about many certificates of which one stopped the rest, where nothing is known of that one.
func list() advice.Table {
	return advice.Table{
		advice.When(func(err error) bool { return is[*hostcert.ListError](err) && errors.Is(err, fs.ErrExist) },
			"nothing is ever overwritten here; move that file away and run the same again: it goes on where it ended"),
		advice.Kind[*hostcert.ListError]("run the same again: it goes on where it ended"),
	}
}

func revokedKey(e *ledger.RevokedKeyError) string {
	switch {
	case e.Allowable:
		return "make a new key; if this one is as good as before, repeat it with --allow-revoked-key, which the ledger keeps"
	case e.Reason == ca.KeyCompromise || e.Reason == ca.CACompromise:
		return "make a new key: others may have this one"
	}
	return "make a new key"
}
