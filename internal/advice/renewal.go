package advice

import (
	"errors"
	"fmt"

	"kedge/ca"
	"kedge/ca/ledger"
)

// renewal is about what the ledger refuses to issue and to renew.
func renewal(err error) string {
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

func revokedKey(e *ledger.RevokedKeyError) string {
	switch {
	case e.Allowable:
		return "make a new key; if this one is as good as before, repeat it with --allow-revoked-key, which the ledger keeps"
	case e.Reason == ca.KeyCompromise || e.Reason == ca.CACompromise:
		return "make a new key: others may have this one"
	}
	return "make a new key"
}
