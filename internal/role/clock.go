package role

import (
	"errors"
	"fmt"
	"time"

	"kedge/signer"
	"kedge/signer/session"
)

// DescribeSkew describes by how much this host's clock is off, and which way.
func DescribeSkew(skew time.Duration) string {
	direction := "behind"
	if skew < 0 {
		direction, skew = "ahead of", -skew
	}
	return fmt.Sprintf("this host's clock is %d seconds %s the service's", int64(skew/time.Second), direction)
}

// judgedBy adds to a *signer.ValidityError whose clock it was judged by.
func judgedBy(clock *session.Clock, err error) error {
	if validity, ok := errors.AsType[*signer.ValidityError](err); ok {
		validity.ByService, validity.Skew = clock.Known(), clock.Skew()
	}
	return err
}
