package credfile

import (
	"fmt"
	"slices"
	"strings"
)

// Diff shows how a file changes, as "diff -u" does; empty if it does not. Values that may be
// secrets are hidden: the lines around are shown as well.
func Diff(path, before, after string) string {
	if before == after {
		return ""
	}
	old, now := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(after))
	const context = 3
	same := func(at func(lines []string, i int) string) (n int) {
		for n < min(len(old), len(now)) && at(old, n) == at(now, n) {
			n++
		}
		return n
	}
	head := same(func(lines []string, i int) string { return lines[i] })
	tail := same(func(lines []string, i int) string { return lines[len(lines)-1-i] })
	tail = min(tail, min(len(old), len(now))-head)
	from, rest := max(0, head-context), min(tail, context)
	old, now = withoutSecrets(old), withoutSecrets(now)
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %[1]s\n@@ -%s +%s @@\n", path, extent(from, len(old)-tail+rest), extent(from, len(now)-tail+rest))
	show(&b, " ", old[from:head])
	show(&b, "-", old[head:len(old)-tail])
	show(&b, "+", now[head:len(now)-tail])
	show(&b, " ", now[len(now)-tail:len(now)-tail+rest])
	return b.String()
}

// extent is the first line, and how many there are; of none, the one before them.
func extent(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func show(b *strings.Builder, sign string, lines []string) {
	for _, line := range lines {
		b.WriteString(sign + line)
		if !strings.HasSuffix(line, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// withoutSecrets returns lines as they may be shown. An indented line continues the value before it.
func withoutSecrets(lines []string) []string {
	shown, hidden := slices.Clone(lines), false
	for i, line := range lines {
		key := strings.ToLower(line[:max(strings.IndexAny(line, "=:"), 0)])
		switch {
		case hidden && strings.TrimLeft(line, " \t") != line:
			shown[i] = "  (hidden)\n"
		case strings.HasPrefix(line, "["):
			hidden = false
		case strings.Contains(key, "secret") || strings.Contains(key, "token") || strings.Contains(key, "password"):
			shown[i], hidden = line[:len(key)+1]+" (hidden)\n", true
		case strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#"):
			hidden = false
		}
	}
	return shown
}
