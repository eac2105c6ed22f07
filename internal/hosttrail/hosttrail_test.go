package hosttrail

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cloudtrail"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// certificate of a host that begins some hours after noon, and is valid for 30 days.
func certificate(seq int64, serial, commonName, host string, hours int) ledger.Certificate {
	begin := noon.Add(time.Duration(hours) * time.Hour)
	return ledger.Certificate{
		Seq: seq, Serial: serial, CommonName: commonName, Host: host, Kind: ledger.Leaf, NotBefore: begin, NotAfter: begin.AddDate(0, 0, 30),
	}
}

// finder is a ledger of some certificates.
func finder(certs ...ledger.Certificate) func(issuance.Query) ([]ledger.Certificate, error) {
	return func(q issuance.Query) ([]ledger.Certificate, error) {
		var found []ledger.Certificate
		for _, c := range certs {
			if q.Kind == issuance.BySerial && q.Value == c.Serial || q.Kind == issuance.ByCommonName && q.Value == c.CommonName {
				found = append(found, c)
			}
		}
		return found, nil
	}
}

// TestBehind: what of an event leads to which certificate.
func TestBehind(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 62)
	root := certificate(1, "01", "web-1", "", -99)
	root.Kind = ledger.Root
	tracer := Tracer{Find: finder(
		root, certificate(2, "0a", "web-1", "web-1", -48), certificate(3, "0b", "web-1", "web-1", -24), certificate(4, "0c", "web-1", "web-1", 1),
		certificate(5, "0d", "db-1", "db-1", -24), certificate(6, "0e", "shared", "a", -24), certificate(7, "0f", "shared", "b", -24),
		certificate(8, "10", long, "long", -24),
	)}
	for _, tt := range []struct{ name, session, identity, want string }{
		{"session of the service", "0a", "CN=web-1", "0a session name"},
		{"session without a source identity", "0a", "", ""},
		{"a chosen name", "deploy", "CN=web-1", "0b source identity"},
		{"the name of another's session", "0d", "CN=web-1", "0b source identity"},
		{"the source identity of nobody here", "0d", "alice", ""},
		{"a long common name", "deploy", long, "10 source identity"},
		{"a person of a host's name", "0d", "db-1", ""},
		{"by the serial number", "deploy", "ID=0d", "0d source identity"},
		{"two hosts of one name", "deploy", "CN=shared", "0e source identity, 0f source identity"},
		{"a CA", "01", "", ""},
		{"no serial", "DEADBEEF", "", ""},
		{"a path", "x", "/etc/passwd", ""},
		{"nothing", "", "", ""},
	} {
		found, err := tracer.Behind(cloudtrail.Event{Time: noon, Session: tt.session, SourceIdentity: tt.identity})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Host.Serial+" "+string(f.By))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %q, want %s", tt.name, got, tt.want)
		}
	}
}

// TestBehind_ended: a host whose certificate ended before the longest session had the name once; another host has it now.
func TestBehind_ended(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hours int // from the end of the old certificate to the event
		want  string
	}{{-1, "new old"}, {0, "new old"}, {12, "new old"}, {13, "new"}, {500, "new"}} {
		before, after := certificate(1, "0a", "web-1", "old", 0), certificate(2, "0b", "web-1", "new", -24)
		before.NotBefore, before.NotAfter = noon.AddDate(0, -2, 0), noon.Add(-time.Duration(tt.hours)*time.Hour)
		tracer := Tracer{Find: finder(after, before)}
		found, err := tracer.Behind(cloudtrail.Event{Time: noon, Session: "job", SourceIdentity: "CN=web-1"})
		if err != nil {
			t.Fatal(err)
		}
		var hosts []string
		for _, f := range found {
			hosts = append(hosts, f.Host.Host)
		}
		if got := strings.Join(hosts, " "); got != tt.want {
			t.Errorf("%d hours after the end: %s, want %s", tt.hours, got, tt.want)
		}
	}
}

// TestBehind_alone: an event of another account that has nothing but the name of a session is labelled so.
func TestBehind_alone(t *testing.T) {
	t.Parallel()
	tracer := Tracer{Find: finder(certificate(1, "0a", "web-1", "web-1", -24))}
	found, err := tracer.Behind(cloudtrail.Event{Time: noon, Session: "0a", SessionAlone: true})
	if err != nil || len(found) != 1 || found[0].By != BySessionAlone || found[0].Host.Serial != "0a" {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err = tracer.Behind(cloudtrail.Event{Time: noon, Session: "web-1", SessionAlone: true}); err != nil || len(found) > 0 {
		t.Errorf("a chosen name: %+v, %v", found, err)
	}
}

// TestBehind_certificate: the certificate of a request is sure unless AWS refused it; names of the same event do not
// matter.
func TestBehind_certificate(t *testing.T) {
	t.Parallel()
	der := []byte("der")
	sum := sha256.Sum256(der)
	asked := 0
	tracer := Tracer{Find: func(q issuance.Query) ([]ledger.Certificate, error) {
		asked++
		if q.Kind != issuance.ByFingerprint {
			return nil, errors.New("another query")
		}
		if q.Value == hex.EncodeToString(sum[:]) {
			return []ledger.Certificate{certificate(1, "0a", "web-1", "web-1", 0)}, nil
		}
		return nil, nil
	}}
	for range 2 {
		found, err := tracer.Behind(cloudtrail.Event{Time: noon, Certificate: der, Session: "0b", SourceIdentity: "CN=db-1"})
		if err != nil || len(found) != 1 || found[0].By != ByCertificate || found[0].Host.Serial != "0a" {
			t.Errorf("%+v, %v", found, err)
		}
	}
	found, err := tracer.Behind(cloudtrail.Event{Time: noon, Certificate: der, ErrorCode: "AccessDeniedException"})
	if err != nil || len(found) != 1 || found[0].By != ByRefused || found[0].Host.Serial != "0a" {
		t.Errorf("refused: %+v, %v", found, err)
	}
	if asked != 1 {
		t.Errorf("the ledger was asked %d times", asked)
	}
	if found, err := tracer.Behind(cloudtrail.Event{Certificate: []byte("no certificate")}); err != nil || len(found) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestFind_bounded: what is remembered is bounded, whether names have many certificates or none.
func TestFind_bounded(t *testing.T) {
	t.Parallel()
	for _, each := range []int{0, 999} {
		asked := 0
		tracer := Tracer{Find: func(issuance.Query) ([]ledger.Certificate, error) {
			asked++
			return slices.Repeat([]ledger.Certificate{{Kind: ledger.Leaf}}, each), nil
		}}
		names := 2*maxFound/(1+each) + 1
		for i := range names {
			for range 2 {
				if _, err := tracer.find(issuance.Query{Kind: issuance.ByCommonName, Value: strconv.Itoa(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if i%(1+maxFound/(1+each)/7) > 0 {
				continue // counting takes long
			}
			kept := len(tracer.found)
			for _, certs := range tracer.found {
				kept += len(certs)
			}
			if kept > maxFound {
				t.Fatalf("%d certificates of each name: %d are kept", each, kept)
			}
		}
		if asked != names {
			t.Errorf("%d certificates of each name: the ledger was asked %d times for %d names", each, asked, names)
		}
	}
}
