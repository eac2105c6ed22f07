package role

import (
	"fmt"
	"time"
)

// DescribeSkew says by how much this host's clock is off, and which way.
func DescribeSkew(skew time.Duration) string {
	direction := "behind"
	if skew < 0 {
		direction, skew = "ahead of", -skew
	}
	return fmt.Sprintf("this host's clock is %d seconds %s the service's", int64(skew/time.Second), direction)
}
