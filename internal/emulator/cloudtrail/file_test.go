package cloudtrail

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFile_Write: whole lines are appended, and what is too large for CloudTrail is left out.
func TestFile_Write(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.json")
	for range 2 {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		e := Event{EventName: "X\n", EventTime: time.Time{}.String(), RequestParameters: Members{"crlData": strings.Repeat("x", maxMembers)}, ResponseElements: Members{"a": 1}}
		if err := f.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != 2 || strings.Count(string(data), `"requestParameters":null,"responseElements":{"a":1}`) != 2 {
		t.Errorf("%v: %s", err, data)
	}
	if err := (*File)(nil).Write(Event{}); err != nil {
		t.Error(err)
	}
}

// TestFile_long: long texts are truncated, between characters.
func TestFile_long(t *testing.T) {
	t.Parallel()
	d := &disk{room: 1 << 20}
	long := strings.Repeat("x", maxText-1) + "éy"
	if err := (&File{file: d}).Write(Event{UserAgent: long, ErrorCode: long[1:], ErrorMessage: long[:maxText-1]}); err != nil {
		t.Fatal(err)
	}
	var e Event
	if err := json.Unmarshal(d.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	if e.UserAgent != long[:maxText-1] || e.ErrorCode != long[1:maxText+1] || e.ErrorMessage != long[:maxText-1] {
		t.Errorf("%d, %d, %d bytes", len(e.UserAgent), len(e.ErrorCode), len(e.ErrorMessage))
	}
}

// TestOpen_cut: a file whose last line has no end keeps it, and the next event has a line of its own.
func TestOpen_cut(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(path, []byte("{\"eventName\":\"A\"}\n{\"eventNa"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"B", "C"} {
		if err := f.Write(Event{EventName: name}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, string(data), "A", "", "B", "C")
}

// checkLines compares the lines with the names of their events; a line without a name is one that was cut.
func checkLines(t *testing.T, text string, names ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(names) {
		t.Fatalf("%d lines, want %d: %s", len(lines), len(names), text)
	}
	for i, line := range lines {
		if whole := strings.HasSuffix(line, "}"); whole != (names[i] != "") || !strings.Contains(line, `"eventName":"`+names[i]) && whole {
			t.Errorf("line %d is %s", i, line)
		}
	}
}

// disk is full after so many bytes.
type disk struct {
	bytes.Buffer
	room int
}

func (d *disk) Write(data []byte) (int, error) {
	n := min(d.room, len(data))
	d.room -= n
	d.Buffer.Write(data[:n])
	if n < len(data) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// TestFile_full: an event that was written in part is an error, and once there is room the next one has a line of its
// own.
func TestFile_full(t *testing.T) {
	t.Parallel()
	d := &disk{room: 40}
	f := &File{file: d}
	for _, step := range []struct {
		room int
		fits bool
	}{{40, false}, {0, false}, {1, false}, {0, false}, {1 << 20, true}, {1 << 20, true}} {
		d.room = step.room
		if err := f.Write(Event{EventName: "B"}); (err == nil) != step.fits {
			t.Errorf("room for %d bytes: %v", step.room, err)
		}
	}
	checkLines(t, d.String(), "", "B", "B")
}
