package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// timeBudget is the time that all checks have together. It stands still while a person is asked. It is safe for
// concurrent use.
type timeBudget struct {
	mu    sync.Mutex
	total time.Duration
	start time.Time // moved on by the time that a person took
	asked time.Time // since when a person is asked; zero: nobody is
}

// limitError reports that a limit of the examination was reached.
type limitError struct{ limit time.Duration }

func (e *limitError) Error() string {
	return fmt.Sprintf("kedge doctor waits for %s at the most", e.limit.Round(time.Millisecond))
}

func (e *limitError) Unwrap() error { return context.DeadlineExceeded }

// begin starts the time.
func (p *timeBudget) begin(total time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.start = total, time.Now()
}

// left returns what is left of the time.
func (p *timeBudget) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.asked.IsZero() {
		return p.total - p.asked.Sub(p.start)
	}
	return p.total - time.Since(p.start)
}

// limit ends a context after a time, or after what is left for all if that is less. Meanwhile a person may be asked.
func (p *timeBudget) limit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	left := p.left()
	limit = min(limit, left)
	end := left - limit
	go func() {
		for more := limit; more > 0; more = p.left() - end {
			select {
			case <-ctx.Done():
				return
			case <-time.After(max(more, time.Millisecond)):
			}
		}
		cancel(&limitError{limit})
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// asking makes the time stand still while ask runs.
func (p *timeBudget) asking(ask func(prompt string) ([]byte, error)) func(string) ([]byte, error) {
	if ask == nil {
		return nil
	}
	return func(prompt string) ([]byte, error) {
		p.mu.Lock()
		p.asked = time.Now()
		p.mu.Unlock()
		defer func() {
			p.mu.Lock()
			p.start, p.asked = p.start.Add(time.Since(p.asked)), time.Time{}
			p.mu.Unlock()
		}()
		return ask(prompt)
	}
}
