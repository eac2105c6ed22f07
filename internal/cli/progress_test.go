package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	p := &Progress{out: &out, now: func() time.Time { return now }, start: now, total: 200}
	for range 100 {
		now = now.Add(50 * time.Millisecond)
		p.Add(1)
	}
	p.End()
	p.Add(1)
	lines := strings.Split(out.String(), "\r")
	if len(lines) != 1+50+2 {
		t.Errorf("drawn %d times", len(lines)-3)
	}
	if want := "[##############................] 99 of 200, 5s left"; strings.TrimSpace(lines[50]) != want {
		t.Errorf("got  %q\nwant %q", lines[50], want)
	}
	if strings.TrimSpace(lines[51]) != "" || len(lines[51]) != progressWidth || lines[52] != "" {
		t.Errorf("the end is %q", lines[51:])
	}
}

func TestProgress_noTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := NewProgress(&out, time.Now, 2)
	p.Add(2)
	p.End()
	if out.Len() > 0 || p.done != 2 {
		t.Errorf("%d done, %q", p.done, &out)
	}
}
