package doctor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTimeBudget: a limit is cut to what is left for all, and neither passes while a person is asked.
func TestTimeBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p timeBudget
		p.begin(10 * time.Second)
		start := time.Now()
		ctx, cancel := p.limit(t.Context(), 4*time.Second)
		defer cancel()
		ask := p.asking(func(string) ([]byte, error) {
			time.Sleep(time.Minute)
			return nil, ctx.Err()
		})
		time.Sleep(time.Second)
		if _, err := ask(""); err != nil {
			t.Error("the limit ended while a person was asked")
		}
		<-ctx.Done()
		if took := time.Since(start); took != time.Minute+4*time.Second || !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			t.Errorf("%s, %v", took, context.Cause(ctx))
		}
		time.Sleep(5 * time.Second)
		ctx, cancel = p.limit(t.Context(), 4*time.Second)
		defer cancel()
		<-ctx.Done()
		if took := time.Since(start); took != time.Minute+10*time.Second {
			t.Errorf("all took %s", took)
		}
	})
}
