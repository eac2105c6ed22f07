package caadvice

import (
	"context"
	"errors"
	"syscall"

	"kedge/ca/ledger"
)

// AffectsAll reports whether an error has nothing to do with the one certificate that it befell: the
// next would fail alike.
func AffectsAll(err error) bool {
	return is[*ledger.UnreachableError](err) || is[*ledger.RefusedError](err) || is[*ledger.BusyError](err) || is[*ledger.ClockError](err) ||
		is[*ledger.BrokenError](err) || is[*ledger.RetiredError](err) || is[*ledger.RevokedIssuerError](err) || is[*ledger.UnknownIssuerError](err) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || hardware().Fits(err)
}
