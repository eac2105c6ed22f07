package pkcs11

import (
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"pkcs11:", "pkcs11:"},
		{"PKCS11:token=a", "pkcs11:token=a"},
		{"pkcs11:?", "pkcs11:"},
		// The examples of RFC 7512 section 3.
		{"pkcs11:object=my-pubkey;type=public", "pkcs11:object=my-pubkey;type=public"},
		{"pkcs11:object=my-key;type=private?pin-source=file:/etc/token", "pkcs11:object=my-key;type=private?pin-source=file:/etc/token"},
		{
			"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin",
			"pkcs11:model=1.0;manufacturer=Snake%20Oil,%20Inc.;serial=;token=The%20Software%20PKCS%2311%20Softtoken;id=%69%95%3E%5C%F4%BD%EC%91;object=my-certificate;type=cert?pin-source=file:/etc/token_pin",
		},
		{"pkcs11:object=my-sign-key;type=private?module-name=mypkcs11", "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11"},
		{"pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1", "pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1"},
		{"pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin", "pkcs11:manufacturer=Snake%20Oil,%20Inc.;token=Software%20PKCS%2311%20softtoken?pin-value=the-pin"},
		{"pkcs11:slot-description=Sun%20Metaslot", "pkcs11:slot-description=Sun%20Metaslot"},
		{"pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23", "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23"},
		{"pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06", "pkcs11:library-version=3.0;token=My%20token%25%20created%20by%20Joe;id=%01%02%03%BA%DD%CA%FE%04%05%06"},
		{"pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert", "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert"},
		{"pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert", "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert"},
		{"pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a?pin-source=file:/etc/token_pin&vendor-bbb=value-b", "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a?pin-source=file:/etc/token_pin&vendor-bbb=value-b"},
		{"pkcs11:slot-id=0", "pkcs11:slot-id=0"},
		{"pkcs11:slot-id=007", "pkcs11:slot-id=7"},
		{"pkcs11:id=abc%00", "pkcs11:id=%61%62%63%00"},
		{"pkcs11:object=a&b:c[d]@e!f$g'h(i)j*k+l,m=n~o", "pkcs11:object=a&b:c[d]@e!f$g'h(i)j*k+l,m=n~o"},
		{"pkcs11:?pin-source=|/usr/bin/pin%20x", "pkcs11:?pin-source=%7C/usr/bin/pin%20x"},
		{"pkcs11:?x=1&x=2", "pkcs11:?x=1&x=2"},
	} {
		u, err := ParseURI(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := u.WithPIN(); got != c.want {
			t.Errorf("%s is printed as\n%s, want\n%s", c.in, got, c.want)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `must begin with "pkcs11:"`},
		{"token=a", `must begin with "pkcs11:"`},
		{"pkcs11", `must begin with "pkcs11:"`},
		{"pkcs11:token", "token: has no value"},
		{"pkcs11:token=a;", "without a proper name"},
		{"pkcs11:;token=a", "without a proper name"},
		{"pkcs11:tok en=a", "without a proper name"},
		{"pkcs11:=a", "without a proper name"},
		{"pkcs11:token=a;token=b", "token: is given twice"},
		{"pkcs11:x=a;x=b", "x: is given twice"},
		{"pkcs11:?pin-value=1&pin-value=2", "pin-value: is given twice"},
		{"pkcs11:?pin-value=1&pin-source=/p", "exclude each other"},
		{"pkcs11:token=a b", "a ' ' must be written as %20"},
		{"pkcs11:token=a/b", "a '/' must be written as %2F"},
		{"pkcs11:token=a#b", "a '#' must be written as %23"},
		{"pkcs11:token=\xff", "must be written as %FF"},
		{"pkcs11:id=%1", "ends within"},
		{"pkcs11:id=%zz", "two hexadecimal digits"},
		{"pkcs11:type=key", "none of public"},
		{"pkcs11:type=", "none of public"},
		{"pkcs11:slot-id=", "not a number"},
		{"pkcs11:slot-id=-1", "not a number"},
		{"pkcs11:slot-id=+1", "not a number"},
		{"pkcs11:slot-id=0x1", "not a number"},
		{"pkcs11:slot-id=18446744073709551616", "not a number"},
		{"pkcs11:library-version=256", "not a version"},
		{"pkcs11:library-version=1.", "not a version"},
		{"pkcs11:library-version=1.2.3", "not a version"},
		{"pkcs11:pin-value=1234", "pin-value: belongs to the query"},
		{"pkcs11:?token=a", "token: belongs to the path"},
		{"pkcs11:token=" + strings.Repeat("a", maxURI), "are the most"},
	} {
		_, err := ParseURI(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v, want %q", c.in, err, c.want)
		}
	}
}

// TestURIHidesPIN: nothing that is printed by accident shows it.
func TestURIHidesPIN(t *testing.T) {
	u, err := ParseURI("pkcs11:token=a?module-name=m&pin-value=sesame")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.String(), "pkcs11:token=a?module-name=m"; got != want {
		t.Errorf("printed as %s, want %s", got, want)
	}
	for _, bad := range []string{"pkcs11:pin-value=sesame", "pkcs11:?pin-value=sesame%", "pkcs11:?pin-value=sesame&pin-value=sesame", "pkcs11:?pin-value=sesame&pin-source=x"} {
		if _, err := ParseURI(bad); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	for _, s := range []string{
		"pkcs11:", "pkcs11:token=a;id=%01?pin-value=1", "pkcs11:library-version=3;slot-id=00;type=cert", "PKCS11:x=y;object=%25?a=b&a=c&pin-source=|x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		printed := u.WithPIN()
		v, err := ParseURI(printed)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", s, printed, err)
		}
		if !u.equal(v) || v.WithPIN() != printed {
			t.Fatalf("%q is printed as %q, which is another URI", s, printed)
		}
		if w, err := ParseURI(u.String()); err != nil || !w.equal(u.without("pin-value")) {
			t.Fatalf("%q is shown as %q: %v", s, u, err)
		}
	})
}
