package caserver

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cadir"
	"kedge/internal/config"
)

// at is a listener on an address.
type at struct {
	net.Listener
	addr net.Addr
}

func (a at) Addr() net.Addr { return a.addr }

func tcp(ip string) net.Listener { return at{addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 8443}} }

func parse(t *testing.T, text string) *cadir.Settings {
	t.Helper()
	s, err := cadir.ParseSettings([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTerms_names: the server is known by its URL, that of the flag first, else by its addresses.
func TestTerms_names(t *testing.T) {
	t.Parallel()
	const configured = "server: {url: 'https://ca.example.com:8443/kedge'}\n"
	unix := at{addr: &net.UnixAddr{Name: "/run/ca", Net: "unix"}}
	for name, tt := range map[string]struct {
		flag, settings string
		listeners      []net.Listener
		names, prefix  string // no names: an error
	}{
		"flag":           {"https://other.example.com", configured, []net.Listener{tcp("::")}, "other.example.com", ""},
		"configured":     {"", configured, []net.Listener{tcp("::")}, "ca.example.com", "/kedge"},
		"final dot":      {"https://ca.example.com./", "", nil, "ca.example.com", ""},
		"IPv6":           {"https://[2001:db8::1]:443", "", nil, "2001:db8::1", ""},
		"Unix socket":    {"https://ca.example.com", "", []net.Listener{unix}, "ca.example.com", ""},
		"addresses":      {"", "", []net.Listener{tcp("127.0.0.1"), tcp("::1"), tcp("127.0.0.1")}, "127.0.0.1 ::1", ""},
		"all addresses":  {"", "", []net.Listener{tcp("127.0.0.1"), tcp("0.0.0.0")}, "", ""},
		"no URL, a path": {"", "", []net.Listener{unix}, "", ""},
	} {
		terms, err := Config{URL: tt.flag}.terms(parse(t, tt.settings), tt.listeners)
		if tt.names == "" {
			if _, ok := errors.AsType[*NoURLError](err); !ok {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || strings.Join(terms.Names, " ") != tt.names || terms.Prefix != tt.prefix {
			t.Errorf("%s: %+v, %v", name, terms, err)
		}
	}
}

// TestTerms_policies: every profile of the configuration has its policy, and a CA without
// configuration the usual one.
func TestTerms_policies(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	terms, err := Config{URL: "https://ca.example.com", Issuer: "sub"}.terms(parse(t, `
profiles:
  web: {enroll: {proofs: [renewal], grace: 2d, hardware_grace: 5d, recoveries: 3}}
  none: {enroll: {proofs: []}}
  never: {enroll: {recoveries: 0}}
default_profile: web
server:
  aws:
    trust_anchor_arn: arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/11111111-2222-3333-4444-555555555555
    profile_arn: arn:aws:rolesanywhere:eu-west-1:111122223333:profile/66666666-7777-8888-9999-000000000000
    role_arn: arn:aws:iam::111122223333:role/web
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	web, none, never := terms.Policies["web"], terms.Policies["none"], terms.Policies["never"]
	if len(terms.Policies) != 3 || web.Profile.Name() != "web" || !slices.Equal(web.Proofs, []string{"renewal"}) || web.Grace != 2*day || web.HardwareGrace != 5*day || web.Recoveries != 3 {
		t.Errorf("web: %+v", web)
	}
	if len(none.Proofs) != 0 || never.Grace != 0 || never.HardwareGrace != 0 || len(never.Proofs) != 2 {
		t.Errorf("none: %+v; never: %+v", none, never)
	}
	if terms.Issuer != "sub" || terms.AWS(nil) == nil || terms.AWS(nil).Region != "eu-west-1" {
		t.Errorf("%+v", terms.AWS(nil))
	}
	terms, err = Config{URL: "https://ca.example.com"}.terms(parse(t, ""), nil)
	if err != nil || len(terms.Policies) != 1 || terms.AWS(nil) != nil || len(terms.Policies["workload"].Proofs) != 2 || terms.Policies["workload"].Grace != 7*day {
		t.Errorf("%+v, %v", terms, err)
	}
}

// TestTerms_hook: a profile has its own hook or that of the server, and one that is not there, or that
// others can change, is an error.
func TestTerms_hook(t *testing.T) {
	t.Parallel()
	config := Config{URL: "https://ca.example.com"}
	terms, err := config.terms(parse(t, "profiles: {own: {enroll: {hook: {command: [/bin/sh]}}}, other: {}}\ndefault_profile: own\n"), nil)
	if err != nil || terms.Policies["own"].Hook == nil || terms.Policies["other"].Hook != nil {
		t.Errorf("%+v, %v", terms, err)
	}
	terms, err = config.terms(parse(t, "server: {hook: {command: [/bin/sh]}}\n"), nil)
	if err != nil || terms.Policies["workload"].Hook == nil {
		t.Errorf("of the server: %+v, %v", terms, err)
	}
	for _, command := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		if _, err := config.terms(parse(t, "server: {hook: {command: ["+command+"]}}\n"), nil); err == nil {
			t.Errorf("%s is taken", command)
		}
	}
}

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		":8443": true, ":0": true, "127.0.0.1:8443": true, "[::1]:8443": true, "[::]:0": true,
		"": false, "8443": false, ":": false, ":https": false, ":65536": false, "localhost:8443": false, "127.0.0.1": false, "::1:8443:": false, "127.0.0.1:8443 ": false,
	} {
		if err := CheckAddress(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestOpen: after an error no socket is open.
func TestOpen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s, err := Config{Listen: []string{"127.0.0.1:0"}, Plain: []string{taken.Addr().String()}}.open(t.Context())
	if _, ok := errors.AsType[*ListenError](err); !ok || !errors.Is(err, syscall.EADDRINUSE) || strings.Contains(err.Error(), "bind:") {
		t.Errorf("%v", err)
	}
	if _, err := s.hosts[0].Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a socket is open: %v", err)
	}
	s, err = Config{Listen: []string{"127.0.0.1:0", "127.0.0.1:0"}, Systemd: config.Service{}}.open(t.Context())
	if err != nil || len(s.hosts) != 2 || len(s.plain) != 0 {
		t.Errorf("%v, %v", s, err)
	}
	s.close()
}

// TestTerms_est: EST is there only when it is enabled, with the labels that are listed and without one.
func TestTerms_est(t *testing.T) {
	t.Parallel()
	const labels = "labels: {routers: {profile: workload}, lines: {wrapped: true}}"
	for text, want := range map[string]string{
		"{}": "map[]", "{" + labels + "}": "map[]", "{enabled: true}": "map[:{ false}]",
		"{enabled: true, " + labels + "}": "map[:{ false} lines:{ true} routers:{workload false}]",
	} {
		terms, err := Config{URL: "https://ca.example.com"}.terms(parse(t, "server: {est: "+text+"}\n"), nil)
		if err != nil || fmt.Sprint(terms.EST) != want || (terms.EST == nil) != (want == "map[]") {
			t.Errorf("%s: %v, %v", text, terms.EST, err)
		}
	}
}
