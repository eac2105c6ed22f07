package caadvice

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/hostcert"
)

// renewal is about what the ledger refuses to issue and to renew, and about work on several
// certificates that was done in part.
func renewal(err error) string {
	if part, ok := errors.AsType[*hostcert.PartError](err); ok && part.Err == nil {
		return renewals(part)
	}
	if refused, ok := errors.AsType[*hostcert.NotRenewedError](err); ok {
		if refused.Authority {
			return "kedge-ca renew --authority NAME; kedge-ca status has the names"
		}
		return "make a new one with \"kedge-ca issue\", with files of another name or folder"
	}
	if key, ok := errors.AsType[*ledger.RevokedKeyError](err); ok {
		return revokedKey(key)
	}
	if clone, ok := errors.AsType[*ledger.CloneError](err); ok {
		return fmt.Sprintf("find out which of the two is meant to have the name, and give it a new key with \"kedge-ca issue\"; if the other one is not trusted: kedge-ca revoke --serial %s --reason key-compromise", clone.Newest.Serial)
	}
	if ended, ok := errors.AsType[*ledger.EndedError](err); ok {
		hint := "make a new one with \"kedge-ca issue\", with files of another name or folder"
		if ended.By != nil {
			hint = fmt.Sprintf("renew the one that took its place, where its files are; kedge-ca who %s shows both", ended.By.Serial)
		}
		return hint
	}
	if answered, ok := errors.AsType[*ledger.AnsweredError](err); ok {
		return fmt.Sprintf("kedge-ca show %s --pem writes it again; kedge-ca renew renews it", answered.Newest.Serial)
	}
	switch {
	case is[*ledger.ChangedError](err):
		return "see where it stands with kedge-ca status, and run the same again"
	case is[*ledger.ClockError](err):
		return "set the clock of this host, with NTP, and run the same again"
	case is[*ledger.UnknownIssuerError](err):
		return "issue with an authority of this CA: kedge-ca status shows them"
	}
	return ""
}

// renewals are what to do about each of several, once.
func renewals(e *hostcert.PartError) string {
	var all []string
	for _, f := range e.Failed {
		if hint := Of(f.Err); hint != "" && !slices.Contains(all, hint) {
			all = append(all, hint)
		}
	}
	return strings.Join(all, "; ")
}

// list is about many certificates of which one stopped the rest, where nothing is known of that one.
func list(err error) string {
	switch {
	case is[*hostcert.ListError](err) && errors.Is(err, fs.ErrExist):
		return "nothing is ever overwritten here; move that file away and run the same again: it goes on where it ended"
	case is[*hostcert.ListError](err):
		return "run the same again: it goes on where it ended"
	}
	return ""
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
