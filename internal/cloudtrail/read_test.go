package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// event is a session's call in one line.
func event(name string) string {
	return `{"eventTime":"2026-11-21T12:00:00Z","eventName":"` + name + `","eventSource":"s3.amazonaws.com","eventID":"e-` + name +
		`","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/r/0a1b","sessionContext":{"sourceIdentity":"CN=web-1"}}}`
}

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// damaged changes the checksum at the end of compressed data.
func damaged(data string) string { return data[:len(data)-8] + "xxxx" + data[len(data)-4:] }

// readAll returns the names of the events, and what was broken.
func readAll(path string) (names, broken []string, err error) {
	for e, failed := range Read(path, func(e *DamagedError) { broken = append(broken, strings.TrimPrefix(e.Error(), path+": ")) }) {
		if failed != nil {
			return names, broken, failed
		}
		names = append(names, e.Name)
	}
	return names, broken, nil
}

// TestRead_forms: each form of a file, whole and damaged.
func TestRead_forms(t *testing.T) {
	t.Parallel()
	quote := func(text string) string { data, _ := json.Marshal(text); return string(data) }
	indented := func(text string) string {
		var b bytes.Buffer
		_ = json.Indent(&b, []byte(text), "", "  ")
		return b.String()
	}
	records := `{"Records":[` + event("A") + "," + event("B") + `]}`
	huge := `{"x":"` + strings.Repeat("y", 2*maxEvent) + `"}`
	for _, tt := range []struct{ name, text, events, broken string }{
		{"lines", event("A") + "\n\r\n" + event("B") + "\r\n", "A B", ""},
		{"no end of line", event("A"), "A", ""},
		{"one bad line of many", event("A") + "\n{\"eventName\n" + event("B") + "\n", "A B", "line 2 is not a CloudTrail event"},
		{"the first line is bad", event("A")[:60] + "\n" + event("B"), "B", "line 1 is not a CloudTrail event"},
		{"the last line is cut", event("A") + "\n" + event("B")[:60], "A", "line 2 is not a CloudTrail event"},
		{"other JSON", event("A") + "\n{}\n5\n\"x\"\n" + event("B"), "A B", "line 2 is not a CloudTrail event|line 3 is not a CloudTrail event|line 4 is not a CloudTrail event"},
		{"a huge line", event("A") + "\n" + huge + "\n" + event("B"), "A B", "line 2 has more than 2048 KiB"},
		{"delivered", records, "A B", ""},
		{"delivered, indented", indented(records), "A B", ""},
		{"with a mark", "\xef\xbb\xbf" + records, "A B", ""},
		{"compressed", packed(t, records), "A B", ""},
		{"compressed lines", packed(t, event("A")+"\n"+event("B")+"\n"), "A B", ""},
		{"one event, indented", indented(event("A")), "A", ""},
		{"events, indented", indented(event("A")) + "\n" + indented(event("B")), "A B", ""},
		{"a list", "[" + event("A") + ",\n" + event("B") + "]", "A B", ""},
		{"lookup-events", `{"Events":[{"EventName":"A","CloudTrailEvent":` + quote(event("A")) + `}],"NextToken":"x","Y":[{}]}`, "A", ""},
		{"lookup-events, indented", indented(`{"NextToken":"x","Events":[{"CloudTrailEvent":` + quote(event("A")) + `},{"CloudTrailEvent":"x"}]}`), "A", "event 2 is not a CloudTrail event"},
		{"one bad event of a list", `{"Records":[` + event("A") + `,{"eventTime":7},` + event("B") + `]}`, "A B", "event 2 is not a CloudTrail event"},
		{"cut list", records[:len(records)-10], "A", "event 2 is cut off; the rest of the file was not read"},
		{"no JSON in a list", `{"Records":[` + event("A") + `,}]}`, "A", "event 2 is not JSON; the rest of the file was not read"},
		{"a huge event", `{"Records":[` + event("A") + "," + huge + "," + event("B") + `]}`, "A", "event 2 has more than 2048 KiB; the rest of the file was not read"},
		{"compressed and cut off", packed(t, records)[:60], "", "line 1 is cut off; the rest of the file was not read"},
		{"compressed lines, damaged", damaged(packed(t, event("A")+"\n")), "A", "line 2 is damaged; the rest of the file was not read"},
		{"nothing", "", "", ""},
		{"an empty list", `{"Records":[]}`, "", ""},
	} {
		path := filepath.Join(t.TempDir(), "events")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		names, broken, err := readAll(path)
		if err != nil || strings.Join(names, " ") != tt.events || strings.Join(broken, "|") != tt.broken {
			t.Errorf("%s: events %q, broken %q, %v", tt.name, names, broken, err)
		}
	}
}

// TestRead_folder: all files of a folder by name, one that is damaged stops only itself.
func TestRead_folder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := readAll(dir); func() bool { _, ok := errors.AsType[*EmptyFolderError](err); return !ok }() {
		t.Errorf("empty: %v", err)
	}
	for name, text := range map[string]string{
		"AWSLogs/2026/11/20/a.json.gz": packed(t, `{"Records":[`+event("A")+`]}`), "AWSLogs/2026/11/21/b.json.gz": "\x1f\x8bxx",
		"AWSLogs/2026/11/22/c.jsonl": event("C"), "AWSLogs/CloudTrail-Digest/x.txt": event("D"), "z.json": `{"Records":[`,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	names, broken, err := readAll(dir)
	if !slices.Equal(names, []string{"A", "C"}) || len(broken) != 1 || !strings.Contains(broken[0], "z.json: event 1 is cut off") {
		t.Errorf("events %q, broken %q", names, broken)
	}
	if err == nil || !strings.Contains(err.Error(), "b.json.gz cannot be unpacked: it is cut off or damaged") {
		t.Errorf("error %v", err)
	}
	if _, _, err := readAll(filepath.Join(dir, "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for range Read(dir, func(*DamagedError) {}) {
		break // the others are not read
	}
}

// TestRead_link: a symbolic link to a folder is that folder.
func TestRead_link(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder, link := filepath.Join(dir, "2026"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(filepath.Join(folder, "a.json"), []byte(event("A")+"\n{}\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, link); err != nil {
		t.Skip(err) // Windows allows it to some users only
	}
	for _, path := range []string{link, link + string(filepath.Separator), folder} {
		names, broken, err := readAll(path)
		want := filepath.Join(path, "a.json") + ": line 2 is not a CloudTrail event"
		if err != nil || !slices.Equal(names, []string{"A"}) || !slices.Equal(broken, []string{want}) {
			t.Errorf("%s: events %q, broken %q, %v", path, names, broken, err)
		}
	}
}

// TestRead_failure: an error of the system is described in plain words, whatever the form of the file.
func TestRead_failure(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		&fs.PathError{Op: "read", Path: "/x", Err: syscall.EIO}:       "cannot be read: the disk has errors",
		&fs.PathError{Op: "read", Path: "/x", Err: errors.New("raw")}: "cannot be read: the system reports an error",
	} {
		for start, where := range map[string]string{event("A") + "\n": "line 2", `{"Records":[` + event("A") + ",": "event 2"} {
			var broken []string
			s := &scanner{path: "f", yield: func(Event) bool { return true }, broken: func(e *DamagedError) { broken = append(broken, e.Error()) }}
			s.scan(io.MultiReader(strings.NewReader(start), iotest.ErrReader(err)))
			if text := "f: " + where + " " + want + "; the rest of the file was not read"; !slices.Equal(broken, []string{text}) {
				t.Errorf("%q, want %q", broken, text)
			}
		}
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for text, want := range map[string]bool{ // the names of the files are of the first bytes
		event("A"): true, "\xef\xbb\xbf \n[": true, packed(t, "x"): true, "-----BEGIN CERTIFICATE-----\n": false, "\x30\x82\x01": false, "": false,
	} {
		path := filepath.Join(dir, fmt.Sprintf("f%x", text[:min(len(text), 5)]))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Is(path); got != want {
			t.Errorf("%.10q: %t", text, got)
		}
	}
	if !Is(dir) || Is(filepath.Join(dir, "no")) || Is("/dev/null") {
		t.Error("a folder, a path that is not there, or a device")
	}
	if Is("..") || !Is("../") || !IsFolder("..") {
		t.Error("a name without a slash is a folder of events")
	}
}

// TestEvent: who is a host, and by what.
func TestEvent(t *testing.T) {
	t.Parallel()
	der := base64.StdEncoding.EncodeToString([]byte("der"))
	made := `"assumedRoleUser":{"arn":"arn:aws:sts::111122223333:assumed-role/r/0a1b"},"sourceIdentity":"CN=web-1"`
	byService := `"userIdentity":{"type":"AWSService","invokedBy":"rolesanywhere.amazonaws.com"}`
	for _, tt := range []struct{ name, source, event, members, want string }{
		{"CreateSession", RolesAnywhere, "CreateSession", byService + `,"requestParameters":{"cert":"` + der + `"},"responseElements":{"credentialSet":[{` + made + `}]}`, "der 0a1b CN=web-1"},
		{"refused", RolesAnywhere, "CreateSession", byService + `,"requestParameters":{"cert":"` + der + `"},"responseElements":null`, "der  "},
		{"without a certificate", RolesAnywhere, "CreateSession", byService + `,"requestParameters":{"cert":5},"responseElements":"x"`, "  "},
		{"the service's AssumeRole", "sts.amazonaws.com", "AssumeRole", byService + `,"responseElements":{` + made + `}`, " 0a1b CN=web-1"},
		{"another service's", "sts.amazonaws.com", "AssumeRole", `"userIdentity":{"type":"AWSService","invokedBy":"ec2.amazonaws.com"},"responseElements":{` + made + `}`, "  "},
		{"a user who sets it", "sts.amazonaws.com", "AssumeRole", `"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/a"},"responseElements":{` + made + `}`, "  "},
		{"a session by its principal", "s3.amazonaws.com", "ListBuckets", `"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:0a1b"},"requestParameters":[1]`, " 0a1b "},
		{"of another account", "sts.amazonaws.com", "AssumeRole", `"userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:0a1b"},"responseElements":{` + made + `}`, " 0a1b CN=web-1"},
		{"of another account, without a source identity", "sts.amazonaws.com", "AssumeRole", `"userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:0a1b"},"responseElements":{"assumedRoleUser":{"arn":"arn:aws:sts::1:assumed-role/r/x"}}`, " 0a1b "},
		{"of another account, with nothing more", "s3.amazonaws.com", "GetObject", `"userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:0a1b"}`, " 0a1b  alone"},
		{"a user of another account", "sts.amazonaws.com", "AssumeRole", `"userIdentity":{"type":"AWSAccount","principalId":"AIDAEXAMPLE"},"responseElements":{` + made + `}`, "  "},
	} {
		e, err := parse([]byte(`{"eventTime":"2026-11-21T12:00:00Z","eventName":"` + tt.event + `","eventSource":"` + tt.source + `",` + tt.members + `}`))
		got := string(e.Certificate) + " " + e.Session + " " + e.SourceIdentity
		if e.SessionAlone {
			got += " alone"
		}
		if err != nil || got != tt.want || e.OfHost() != (tt.want != "  ") {
			t.Errorf("%s: %q, want %q: %v", tt.name, got, tt.want, err)
		}
	}
	if got := certificate("-----BEGIN CERTIFICATE-----\nZGVy\n-----END CERTIFICATE-----\n"); string(got) != "der" {
		t.Errorf("PEM: %q", got)
	}
}

// TestRead_bomb: a small file cannot have the program read for ever.
func TestRead_bomb(t *testing.T) {
	t.Parallel()
	var problems []string
	s := &scanner{yield: func(Event) bool { return true }, broken: func(e *DamagedError) { problems = append(problems, e.Error()) }}
	s.scan(&capped{zeros{}, 3 * maxEvent})
	if len(problems) != 1 || !strings.Contains(problems[0], errUnpacked.Error()) {
		t.Errorf("%q", problems)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzRead: any file is read to its end, with no more events and faults than it has bytes.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		event("A") + "\n" + event("B"), `{"Records":[` + event("A") + `]}`, `{"Events":[{"CloudTrailEvent":"{}"}]}`, "[" + event("A") + "]", "{\n}", "{\"Records\":[", "\xef\xbb\xbf[",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		count := 0
		s := &scanner{yield: func(e Event) bool {
			if count++; e.Name == "" || e.Time.IsZero() {
				t.Errorf("%+v is no event", e)
			}
			return true
		}, broken: func(*DamagedError) { count++ }}
		s.scan(bytes.NewReader(data))
		if count > len(data) {
			t.Errorf("%d events and faults of %d bytes", count, len(data))
		}
	})
}
