package examples

import (
	"bufio"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// guides returns the documents whose blocks are run, and all whose links are checked.
func guides(t *testing.T) (run, all []string) {
	t.Helper()
	root := testenv.Root(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if name := d.Name(); err == nil && d.IsDir() && (name == "node_modules" || name == "build" || strings.HasPrefix(name, ".") && path != root) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			name, err := filepath.Rel(root, path)
			all = append(all, filepath.ToSlash(name))
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if name == "README.md" || filepath.Dir(name) == "docs" {
			run = append(run, name)
		}
	}
	return run, all
}

// block is an indented or fenced block of a document, with the mark in the comment above it:
//
//	<!-- run -->                 its lines are run by sh, after those of the blocks before it
//	<!-- run: LINES -->          the same, after other lines, which the document does not show
//	<!-- file: NAME -->          it is the content of a file
//	<!-- test: FILE TEXT -->     the test in FILE has it; TEXT is in that file
//	<!-- not run: REASON -->
type block struct {
	file string
	line int    // of the document, at which it begins
	kind string // run, file, test, not run, or empty
	mark string // what is after the kind
	text string // without indentation
}

// blocks returns the blocks of a document.
func blocks(name, text string) []block {
	r := blockReader{name: name}
	lines := bufio.NewScanner(strings.NewReader(text + "\nend\n"))
	for lines.Scan() {
		r.number++
		r.add(lines.Text())
		r.before = strings.TrimSpace(lines.Text())
	}
	return r.found
}

// blockReader collects the blocks of a document, line by line.
type blockReader struct {
	name    string
	number  int    // of the line
	before  string // the line before, without white space around
	mark    []string
	inMark  bool
	start   int      // of the block
	current []string // its lines; nil outside of blocks
	fenced  bool
	found   []block
}

func (r *blockReader) add(line string) {
	trimmed := strings.TrimSpace(line)
	fence, indented := strings.HasPrefix(trimmed, "```"), strings.HasPrefix(line, "    ")
	if r.current != nil && (r.fenced && !fence || !r.fenced && (indented || trimmed == "")) {
		r.current = append(r.current, line)
		return
	}
	if r.current != nil {
		r.found = append(r.found, newBlock(r.name, r.start, r.mark, r.current))
		r.mark, r.current = nil, nil
		if r.fenced {
			return // the line ends the block
		}
	}
	switch {
	case r.inMark || strings.HasPrefix(trimmed, "<!--"):
		if !r.inMark {
			r.mark = nil
		}
		r.mark, r.inMark = append(r.mark, trimmed), !strings.HasSuffix(trimmed, "-->")
	case fence:
		r.current, r.fenced, r.start = []string{}, true, r.number
	case indented && trimmed != "" && (r.before == "" || strings.HasSuffix(r.before, "-->")):
		r.current, r.fenced, r.start = []string{line}, false, r.number
	case trimmed != "":
		r.mark = nil
	}
}

func newBlock(name string, line int, mark, lines []string) block {
	b := block{file: name, line: line}
	comment := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.Join(mark, "\n"), "<!--"), "-->"))
	b.kind, b.mark, _ = strings.Cut(comment, ":")
	b.mark = strings.TrimSpace(b.mark)
	if len(lines) == 0 {
		return b
	}
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], " "))
	for i, l := range lines {
		lines[i] = l[min(indent, len(l)-len(strings.TrimLeft(l, " "))):]
	}
	b.text = strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
	return b
}

// TestBlocks: the parser finds blocks, with their marks.
func TestBlocks(t *testing.T) {
	t.Parallel()
	text := "words\n    no block\n\n<!-- run: a\nb -->\n    kedge x\n\n      y\n\nwords\n\n   <!-- file: f -->\n       k: v\n\n```yaml\nk: v\n```\n\n    last\n"
	want := []block{
		{"f.md", 6, "run", "a\nb", "kedge x\n\n  y\n"}, {"f.md", 13, "file", "f", "k: v\n"}, {"f.md", 15, "", "", "k: v\n"}, {"f.md", 19, "", "", "last\n"},
	}
	if got := blocks("f.md", text); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestDocuments_marked: each block of a guide is run, is the matter of a test that there is, or is marked with the reason why
// it is not run.
func TestDocuments_marked(t *testing.T) {
	t.Parallel()
	run, _ := guides(t)
	count := map[string]int{}
	for _, name := range run {
		for _, b := range blocks(name, testenv.Document(t, name)) {
			count[b.kind]++
			switch b.kind {
			case "run":
			case "file", "not run":
				if b.mark == "" {
					t.Errorf("%s:%d: no name or reason", b.file, b.line)
				}
			case "test":
				file, what, _ := strings.Cut(b.mark, " ")
				text := testenv.Document(t, file)
				if what == "" || !strings.Contains(text, what) {
					t.Errorf("%s:%d: %s does not have %q", b.file, b.line, file, what)
				}
				if strings.HasPrefix(filepath.Base(file), "readme") && !strings.Contains(text, b.file) {
					t.Errorf("%s:%d: %s does not read this document", b.file, b.line, file)
				}
			default:
				t.Errorf("%s:%d: this block has no mark: %.60q", b.file, b.line, b.text)
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%d blocks: %s", count[kind], kind)
	}
	if count["run"] < 15 {
		t.Errorf("only %d blocks are run", count["run"])
	}
}

// TestDocuments_links: what a document links to is there: the file, and the heading in it.
func TestDocuments_links(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	_, all := guides(t)
	checked := 0
	for _, name := range all {
		for _, m := range link.FindAllStringSubmatch(testenv.Document(t, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			path, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
			}
			if _, err := os.Stat(filepath.Join(testenv.Root(t), target)); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(testenv.Document(t, target)), anchor) {
				t.Errorf("%s links to %s: %s has no such heading", name, m[1], target)
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d links", checked)
	}
}

// anchors returns the anchors of the headings of a document, as GitHub makes them.
func anchors(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// TestREADME_short: README.md has at most 200 lines, and leads to every guide.
func TestREADME_short(t *testing.T) {
	t.Parallel()
	text := testenv.Document(t, "README.md")
	if n := strings.Count(text, "\n"); n > 200 {
		t.Errorf("README.md has %d lines", n)
	}
	run, _ := guides(t)
	for _, name := range run {
		if name != "README.md" && !strings.Contains(text, "("+name+")") {
			t.Errorf("README.md does not link to %s", name)
		}
	}
}
