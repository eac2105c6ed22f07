package pkcs11

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// crafted are three tokens, two with the same label, one in slot 0; keys with the same label, ids
// of which one begins with another, and a key of which the token shows nothing without PIN.
func crafted(t *testing.T) *testenv.SoftHSM {
	h := testenv.NewSoftHSM(t)
	for _, token := range []struct{ label, serial string }{{"alpha", "aaaaaaaa00000000"}, {"beta", "bbbbbbbb0000000b"}, {"twin", "cccccccc0000000c"}} {
		h.InitToken(t, token.label)
		h.SetSerial(t, token.label, token.serial)
	}
	for _, key := range []struct{ token, id, label string }{
		{"alpha", "01", "k"},
		{"alpha", "0102", "k"},
		{"alpha", "01ff", "sp ace;/?&%="},
		{"alpha", "02", "only-a"},
		{"beta", "01", "k"},
		{"beta", "03", "only-b"},
		{"beta", "04", "hidden"},
		{"beta", "0405", "käse"},
		{"twin", "05", "c"},
		{"twin", "06", "Only-A"},
	} {
		h.Generate(t, key.token, "EC:prime256v1", key.id, key.label)
	}
	h.Tool(t, "beta", "--delete-object", "--type", "pubkey", "--id", "04")
	// Renamed at the end: until then the tools would not know which one is meant.
	h.SetLabel(t, "twin", "alpha")
	return h
}

func TestSelect(t *testing.T) {
	t.Parallel()
	h := crafted(t)
	helper := testenv.PKCS11Helper(t)
	const (
		a1, a12, aff, a2     = "aaaaaaaa00000000 01", "aaaaaaaa00000000 0102", "aaaaaaaa00000000 01ff", "aaaaaaaa00000000 02"
		b1, b3, b45          = "bbbbbbbb0000000b 01", "bbbbbbbb0000000b 03", "bbbbbbbb0000000b 0405"
		b4                   = "id=%04;object=hidden;type=private: the token has no public key" // found, and not of use alone
		c5, c6               = "cccccccc0000000c 05", "cccccccc0000000c 06"
		twoKeys              = "2 keys match"
		noToken, noKey       = "no token matches", "no private key matches"
		threeTokens, unknown = "3 tokens match", "is not known"
	)
	for _, c := range []struct{ uri, want string }{
		// object alone, over all tokens
		{"object=only-a", a2},
		{"object=only-b", b3},
		{"object=Only-A", c6},
		{"object=c", c5},
		{"object=sp%20ace%3B%2F%3F%26%25=", aff},
		{"object=sp%20ace%3b%2f%3f&%25%3d", aff},
		{"object=%6F%6e%6Cy-a", a2},
		{"object=k%C3%A4se", b45},
		{"object=k", "3 keys match"},
		{"object=K", threeTokens},
		{"object=only", threeTokens},
		{"object=", threeTokens},
		{"object=only-a%20", threeTokens},
		// id alone
		{"id=%01%02", a12},
		{"id=%01%FF", aff},
		{"id=%01%ff", aff},
		{"id=%02", a2},
		{"id=%03", b3},
		{"id=%04%05", b45},
		{"id=%05", c5},
		{"id=%01", twoKeys},
		{"id=", threeTokens},
		{"id=%00", threeTokens},
		{"id=%FF", threeTokens},
		{"id=01", threeTokens},
		{"id=%04", threeTokens}, // only visible with a PIN, and no PIN is tried on three tokens
		// both
		{"id=%01;object=k", twoKeys},
		{"id=%01%02;object=k", a12},
		{"object=k;id=%01%02", a12},
		{"id=%02;object=k", threeTokens},
		// token
		{"token=beta", "4 private keys match"},
		{"token=alpha", "6 keys match"},
		{"token=alpha;object=k", "2 private keys match"},
		{"token=alpha;object=c", c5},
		{"token=alpha;object=only-a", a2},
		{"token=alpha;id=%01", a1},
		{"token=alpha;id=%05", c5},
		{"token=beta;object=k", b1},
		{"token=beta;id=%01", b1},
		{"token=beta;id=%04", b4},
		{"token=beta;object=hidden", b4},
		{"object=hidden;token=beta;type=private", b4},
		{"token=beta;id=%04%05", b45},
		{"token=beta;object=only-a", noKey},
		{"token=Beta", noToken},
		{"token=bet", noToken},
		{"token=beta%20", noToken},
		{"token=", noToken},
		{"token=gamma;object=k", noToken},
		// serial, model, manufacturer
		{"serial=aaaaaaaa00000000;id=%01", a1},
		{"serial=aaaaaaaa00000000;object=k", "2 private keys match"},
		{"serial=bbbbbbbb0000000b;object=k", b1},
		{"serial=cccccccc0000000c;id=%05", c5},
		{"serial=AAAAAAAA00000000;id=%01", noToken},
		{"serial=;id=%01", noToken},
		{"token=alpha;serial=cccccccc0000000c;object=c", c5},
		{"token=beta;serial=cccccccc0000000c;object=c", noToken},
		{"model=SoftHSM%20v2;object=only-b", b3},
		{"model=SoftHSM;object=only-b", noToken},
		{"manufacturer=SoftHSM%20project;object=only-b", b3},
		{"manufacturer=softhsm%20project;object=only-b", noToken},
		// slot
		{"slot-id=0;id=%01", a1},
		{"slot-id=0;object=only-a", a2},
		{"slot-id=00;object=only-a", a2},
		{"slot-id=0;object=k", "2 private keys match"},
		{"slot-id=0;object=c", noKey},
		{"slot-id=11;object=k", b1},
		{"slot-id=12;object=c", c5},
		{"slot-id=12", "2 private keys match"},
		{"slot-id=1", noToken},
		{"slot-id=3;object=k", noToken}, // the slot without a token
		{"slot-description=SoftHSM%20slot%20ID%200x0;id=%01", a1},
		{"slot-description=SoftHSM%20slot%20ID%200xb;id=%01", b1},
		{"slot-manufacturer=SoftHSM%20project;id=%03", b3},
		{"slot-manufacturer=nobody;id=%03", noToken},
		// library
		{"library-manufacturer=SoftHSM;id=%03", b3},
		{"library-description=Implementation%20of%20PKCS11;id=%03", b3},
		{"library-version=2.6;id=%03", b3},
		{"library-version=2;id=%03", noToken},
		{"library-version=2.60;id=%03", noToken},
		// type
		{"object=only-a;type=private", a2},
		{"object=only-a;type=public", a2},
		{"object=only-a;type=cert", a2},
		{"object=only-a;type=secret-key", "is not a key pair's"},
		{"object=only-a;type=data", "is not a key pair's"},
		// what nobody knows
		{"object=only-a;flavour=mint", unknown},
		{"object=only-a?flavour=mint", a2},
		{"", "9 keys match"},
	} {
		// One after the other: while one process logs in, SoftHSM writes the token's file, and
		// another may find it half written.
		t.Run(c.uri, func(t *testing.T) {
			u := parse(t, "pkcs11:"+c.uri)
			m, err := Load(t.Context(), u, Options{
				Helper: helper, Module: h.Module, Environment: h.Environment(),
				PIN: func(PINInfo) ([]byte, error) { return []byte("1234"), nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			k, err := m.Key(t.Context(), u, nil)
			got := ""
			if err == nil {
				got = k.uri.value("serial") + " " + hex.EncodeToString([]byte(k.uri.value("id")))
			} else {
				got = err.Error()
			}
			if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
				t.Errorf("picks %s, want %s", got, c.want)
			}
		})
	}
	t.Run("candidates can be copied", func(t *testing.T) { candidatesCanBeCopied(t, h) })
}

// candidatesCanBeCopied: each URI in the message about several keys means just one.
func candidatesCanBeCopied(t *testing.T, h *testenv.SoftHSM) {
	m := load(t, h, Options{})
	for _, uri := range []string{"pkcs11:object=k", "pkcs11:id=%01", "pkcs11:token=alpha;object=k", "pkcs11:token=beta?module-path=" + h.Module + "&pin-value=1234"} {
		_, err := m.Key(t.Context(), parse(t, uri), nil)
		text := ""
		if err != nil {
			text = err.Error()
		}
		lines := strings.Split(text, "\n  ")
		if len(lines) < 3 || strings.Contains(text, "pin-value") {
			t.Fatalf("%s: %v", uri, err)
		}
		for _, line := range lines[1:] {
			k, err := m.Key(t.Context(), parse(t, line), nil)
			if err == nil && k.URI().String() != line || err != nil && !strings.Contains(err.Error(), "no public key") {
				t.Errorf("%s, from the message about %s: %v", line, uri, err)
			}
		}
	}
}

// TestOneSlotWithoutToken: the slot that SoftHSM always keeps free is no candidate.
func TestOneSlotWithoutToken(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	m := load(t, h, Options{})
	_, err := m.Key(t.Context(), URI{}, nil)
	if err == nil || !strings.Contains(err.Error(), "no token matches pkcs11:") {
		t.Error(err)
	}
}

func TestModulePath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"libFoo.so", "bar.so", "baz.txt"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ uri, given, want, wantErr string }{
		{"pkcs11:?module-path=" + dir + "/bar.so", "", dir + "/bar.so", ""},
		{"pkcs11:?module-path=" + dir + "&module-name=foo", "", dir + "/libFoo.so", ""},
		{"pkcs11:?module-path=" + dir + "&module-name=LIBFOO", "", dir + "/libFoo.so", ""},
		{"pkcs11:?module-path=" + dir + "&module-name=foo.so", "", "", "not found in " + dir},
		{"pkcs11:?module-path=" + dir + "&module-name=bar.so", "", dir + "/bar.so", ""},
		{"pkcs11:?module-path=" + dir + "&module-name=baz", "", "", "not found in " + dir},
		{"pkcs11:?module-path=" + dir, "", "", "is a folder; module-name must say"},
		{"pkcs11:?module-path=" + dir + "/none.so", "", "", dir + "/none.so"},
		{"pkcs11:?module-path=bar.so", "", "", "must be an absolute path"},
		{"pkcs11:?module-name=a%2Fb", "", "", "cannot have a slash"},
		{"pkcs11:?module-name=none-such", "", "", "module none-such: not found in /usr/lib"},
		{"pkcs11:?module-path=/nowhere", dir + "/bar.so", dir + "/bar.so", ""},
		{"pkcs11:", "none-such", "", "module none-such: not found"},
	} {
		got, err := ModulePath(parse(t, c.uri), c.given)
		if got != c.want || (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
			t.Errorf("%s, %q: %s, %v; want %s%s", c.uri, c.given, got, err, c.want, c.wantErr)
		}
	}
}

func TestFindHelper(t *testing.T) {
	t.Parallel()
	_, err := FindHelper("/nowhere/kedge-pkcs11")
	if err == nil || err.Error() != "PKCS#11 keys need the program kedge-pkcs11, which is not at /nowhere/kedge-pkcs11" {
		t.Error(err)
	}
	if got, want := helperPaths("/opt/bin"), []string{"/opt/bin/kedge-pkcs11", "/opt/libexec/kedge/kedge-pkcs11"}; !slices.Equal(got, want) {
		t.Errorf("looks at %q, want %q", got, want)
	}
}
