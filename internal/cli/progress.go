package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress draws a bar on a terminal, on one line that it writes again and again. Its
// methods may be called from several goroutines.
type Progress struct {
	mu    sync.Mutex
	out   io.Writer // nil: nothing is drawn
	now   func() time.Time
	start time.Time
	drawn time.Time
	total int
	done  int
}

// redraw is the time between two drawings: more often costs and flickers.
const redraw = 100 * time.Millisecond

// NewProgress draws how far a number of things is done on standard error, if that is a terminal. now
// is the clock.
func NewProgress(stderr io.Writer, now func() time.Time, total int) *Progress {
	p := &Progress{now: now, total: total, start: now()}
	if IsTerminal(stderr) {
		p.out = stderr
	}
	return p
}

// Add counts what was done.
func (p *Progress) Add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if now := p.now(); p.out != nil && now.Sub(p.drawn) >= redraw {
		p.drawn = now
		fmt.Fprint(p.out, "\r", p.line(now))
	}
}

// End takes the bar away, so that the next message has a line of its own.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil && !p.drawn.IsZero() {
		fmt.Fprint(p.out, "\r", strings.Repeat(" ", progressWidth), "\r")
	}
	p.out = nil
}

// progressWidth is the width of the line, with some spaces to cover a longer one before it.
const progressWidth = 78

func (p *Progress) line(now time.Time) string {
	const width = 30
	full := width * p.done / max(p.total, 1)
	left := ""
	if elapsed := now.Sub(p.start); p.done > 0 && elapsed >= time.Second {
		rest := time.Duration(float64(elapsed) / float64(p.done) * float64(p.total-p.done))
		left = fmt.Sprintf(", %v left", rest.Round(time.Second))
	}
	text := fmt.Sprintf("[%s%s] %d of %d%s", strings.Repeat("#", full), strings.Repeat(".", width-full), p.done, p.total, left)
	return fmt.Sprintf("%-*s", progressWidth, text)
}
