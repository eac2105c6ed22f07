package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The answers, word by word.
const (
	invalidSignature = "403 AccessDeniedException: Invalid signature"
	untrusted        = "403 AccessDeniedException: Untrusted signing certificate"
	insufficient     = "403 AccessDeniedException: Untrusted certificate. Insufficient certificate"
	revokedAnswer    = "403 AccessDeniedException: Certificate revoked"
	noAnchor         = "403 AccessDeniedException: Specified Trust Anchor wasn't found."
	noProfile        = "403 AccessDeniedException: Invalid or empty profile provided."
	notListed        = "403 AccessDeniedException: Requested Role isn't one of those listed in the Profile."
	noSessionName    = "403 AccessDeniedException: Not authorized to set roleSessionName"
	notAssumable     = "403 AccessDeniedException: Unable to assume role for ARN."
	overMaximum      = "403 AccessDeniedException: Unable to assume role for ARN. The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	badTags          = "403 AccessDeniedException: attributes failed to be mapped into session tags"
	notJSON          = "400 SerializationException: The request body is not a valid CreateSession document"
)

func violated(field, value, rule string) string {
	return fmt.Sprintf("400 ValidationException: 1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must %s", value, field, rule)
}

// chainWorld is a leaf below two intermediates.
type chainWorld struct {
	root, upper, lower, leaf *authority
	e                        *Emulator
}

func newChainWorld(t testing.TB, change ...func(*Config)) *chainWorld {
	t.Helper()
	w := &chainWorld{root: newRoot(t, caTemplate("Root"))}
	w.upper = w.root.issue(t, caTemplate("Upper"))
	w.lower = w.upper.issue(t, caTemplate("Lower"))
	w.leaf = w.lower.issue(t, leafTemplate())
	w.e = newEmulator(t, w.root, change...)
	return w
}

func (w *chainWorld) craft() *craft {
	return newCraft(w.e, w.leaf, w.lower.cert, w.upper.cert)
}

// TestCreateSession_tampered changes a good request: before it is signed, so that the signature
// is right for what should be refused anyway, or after, so that it is not.
func TestCreateSession_tampered(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	send(t, w.e, w.craft().sign(t).wire()).created(t)
	b64 := func(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
	unsigned := func(name string) func(*craft) {
		return func(c *craft) {
			for _, h := range []string{"content-type", "host", "x-amz-date", "x-amz-x509", "x-amz-x509-chain"} {
				if h != name {
					c.signed = append(c.signed, h)
				}
			}
		}
	}
	twice := func(name, value string) func(*craft) {
		return func(c *craft) { c.headers = append(c.headers, [2]string{name, value}) }
	}
	stranger := newKey(t)
	tests := []struct {
		name   string
		want   string
		before func(*craft)
		after  func(*craft)
	}{
		// Changed on the way.
		{"another method is no operation", "404 UnknownOperationException: Unknown operation", nil, func(c *craft) { c.method = "PUT" }},
		{"another path is no operation", "404 UnknownOperationException: Unknown operation", nil, func(c *craft) { c.path = "/sessions/" }},
		{"encoded path is no operation", "404 UnknownOperationException: Unknown operation", nil, func(c *craft) { c.path = "/%73essions" }},
		{"query added", invalidSignature, nil, func(c *craft) { c.query = "a=b" }},
		{"host changed", invalidSignature, nil, func(c *craft) { c.set("Host", "127.0.0.1:8081") }},
		{"content type changed", invalidSignature, nil, func(c *craft) { c.set("Content-Type", "application/json; charset=utf-8") }},
		{"content type of another kind", "415 UnsupportedMediaTypeException: The request's Content-Type must be application/json", nil, func(c *craft) { c.set("Content-Type", "text/plain") }},
		{"content type removed", "415 UnsupportedMediaTypeException: The request's Content-Type must be application/json", nil, func(c *craft) { c.del("Content-Type") }},
		{"date one second later", invalidSignature, nil, func(c *craft) { c.set("X-Amz-Date", "20261121T120001Z") }},
		{"date removed", invalidSignature, nil, func(c *craft) { c.del("X-Amz-Date") }},
		{"date twice", invalidSignature, nil, func(c *craft) { c.headers = append(c.headers, [2]string{"X-Amz-Date", "20261121T120000Z"}) }},
		{"date twice, signed", invalidSignature, twice("X-Amz-Date", "20261121T120000Z"), nil},
		{"content type twice, signed", invalidSignature, twice("Content-Type", "text/plain"), nil},
		{"content hash twice, signed", invalidSignature, func(c *craft) {
			c.set("X-Amz-Content-Sha256", hexSHA256(c.body))
			twice("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")(c)
		}, nil},
		{"leaf twice, signed", invalidSignature, twice("X-Amz-X509", b64(w.leaf.cert)), nil},
		{"chain twice, signed", invalidSignature, twice("X-Amz-X509-Chain", b64(w.lower.cert)), nil},
		{"byte of the body", invalidSignature, nil, func(c *craft) { c.body = strings.Replace(c.body, "900", "901", 1) }},
		{"blank in the body", invalidSignature, nil, func(c *craft) { c.body = strings.Replace(c.body, ":", ": ", 1) }},
		{"body removed", invalidSignature, nil, func(c *craft) { c.body = "" }},
		{"x-amz header added", invalidSignature, nil, func(c *craft) { c.set("X-Amz-Meta", "a") }},
		{"security token added", invalidSignature, nil, func(c *craft) { c.set("X-Amz-Security-Token", "a") }},
		{"content hash added", invalidSignature, nil, func(c *craft) { c.set("X-Amz-Content-Sha256", hexSHA256("other")) }},
		{"leaf removed", invalidSignature, nil, func(c *craft) { c.del("X-Amz-X509") }},
		{"leaf empty", invalidSignature, nil, func(c *craft) { c.set("X-Amz-X509", "") }},
		{"leaf twice", invalidSignature, nil, func(c *craft) { c.headers = append(c.headers, [2]string{"X-Amz-X509", c.get("X-Amz-X509")}) }},
		{"leaf not base64", invalidSignature, nil, func(c *craft) { c.set("X-Amz-X509", "%%%") }},
		{"leaf in base64 for URLs", invalidSignature, nil, func(c *craft) { c.set("X-Amz-X509", base64.RawURLEncoding.EncodeToString(w.leaf.cert.Raw)) }},
		{"leaf of somebody else", invalidSignature, nil, func(c *craft) { c.set("X-Amz-X509", b64(w.root.issue(t, leafTemplate()).cert)) }},
		{"chain removed", invalidSignature, nil, func(c *craft) { c.del("X-Amz-X509-Chain") }},
		{"chain's order changed", invalidSignature, nil, func(c *craft) { c.set("X-Amz-X509-Chain", b64(w.upper.cert)+","+b64(w.lower.cert)) }},
		{"chain twice", invalidSignature, nil, func(c *craft) {
			c.headers = append(c.headers, [2]string{"X-Amz-X509-Chain", c.get("X-Amz-X509-Chain")})
		}},
		{"Authorization removed", invalidSignature, nil, func(c *craft) { c.del("Authorization") }},
		{"Authorization twice", invalidSignature, nil, func(c *craft) {
			c.headers = append(c.headers, [2]string{"Authorization", c.get("Authorization")})
		}},
		{"algorithm swapped", invalidSignature, nil, func(c *craft) { c.replace("Authorization", "ECDSA", "RSA") }},
		{"algorithm of secret keys", invalidSignature, nil, func(c *craft) { c.replace("Authorization", "AWS4-X509-ECDSA-SHA256", "AWS4-HMAC-SHA256") }},
		{"last digit of the signature", invalidSignature, nil, func(c *craft) {
			a := c.get("Authorization")
			c.set("Authorization", a[:len(a)-1]+map[bool]string{true: "1", false: "0"}[a[len(a)-1] == '0'])
		}},
		{"signature cut", invalidSignature, nil, func(c *craft) { a := c.get("Authorization"); c.set("Authorization", a[:len(a)-2]) }},
		{"signature removed", invalidSignature, nil, func(c *craft) {
			c.set("Authorization", strings.Split(c.get("Authorization"), ", Signature")[0])
		}},
		{"signature in capitals", invalidSignature, nil, func(c *craft) {
			a, s, _ := strings.Cut(c.get("Authorization"), "Signature=")
			c.set("Authorization", a+"Signature="+strings.ToUpper(s))
		}},
		{"signed headers in another order", invalidSignature, nil, func(c *craft) { c.replace("Authorization", "content-type;host", "host;content-type") }},
		{"signed header named twice", invalidSignature, nil, func(c *craft) { c.replace("Authorization", "host;", "host;host;") }},
		{"signed header that is not there", invalidSignature, nil, func(c *craft) { c.replace("Authorization", "host;", "host;range;") }},
		{"serial number of somebody else", invalidSignature, nil, func(c *craft) { c.replace("Authorization", "Credential="+c.serial, "Credential=1"+c.serial) }},

		// Signed, and still wrong.
		{"another key", invalidSignature, func(c *craft) { c.key = stranger }, nil},
		{"serial in hexadecimal", invalidSignature, func(c *craft) { c.serial = w.leaf.cert.SerialNumber.Text(16) }, nil},
		{"serial with a leading zero", invalidSignature, func(c *craft) { c.serial = "0" + c.serial }, nil},
		{"serial of the CA", invalidSignature, func(c *craft) { c.serial = "1" }, nil},
		{"day of yesterday", invalidSignature, func(c *craft) { c.day = "20261120" }, nil},
		{"another region", invalidSignature, func(c *craft) { c.region = "eu-west-1" }, nil},
		{"region with -fips", invalidSignature, func(c *craft) { c.region = "us-east-1-fips" }, nil},
		{"another service", invalidSignature, func(c *craft) { c.service = "sts" }, nil},
		{"another terminator", invalidSignature, func(c *craft) { c.ender = "aws5_request" }, nil},
		{"RSA's name for an EC key", invalidSignature, func(c *craft) { c.algorithm = "AWS4-X509-RSA-SHA256" }, nil},
		{"five minutes and a second old", invalidSignature, func(c *craft) { c.set("X-Amz-Date", "20261121T115459Z") }, nil},
		{"five minutes and a second early", invalidSignature, func(c *craft) { c.set("X-Amz-Date", "20261121T120501Z") }, nil},
		{"date in another form", invalidSignature, func(c *craft) { c.set("X-Amz-Date", "2026-11-21T12:00:00Z") }, nil},
		{"date with a fraction", invalidSignature, func(c *craft) { c.set("X-Amz-Date", "20261121T120000.5Z") }, nil},
		{"date too short for a day", invalidSignature, func(c *craft) { c.set("X-Amz-Date", "2026") }, nil},
		{"host unsigned", invalidSignature, unsigned("host"), nil},
		{"date unsigned", invalidSignature, unsigned("x-amz-date"), nil},
		{"leaf unsigned", invalidSignature, unsigned("x-amz-x509"), nil},
		{"chain unsigned", invalidSignature, unsigned("x-amz-x509-chain"), nil},
		{"content type unsigned", invalidSignature, unsigned("content-type"), nil},
		{"hash of another body", invalidSignature, func(c *craft) { c.hash = hexSHA256("") }, nil},
		{"unsigned payload", invalidSignature, func(c *craft) { c.hash = "UNSIGNED-PAYLOAD"; c.set("X-Amz-Content-Sha256", c.hash) }, nil},
		{"plus sign for a blank in the query", invalidSignature, func(c *craft) { c.query = "a=b+c" }, nil},
		{"unsorted query", invalidSignature, func(c *craft) { c.query = "b=1&a=1" }, nil},
		{"bad escape in the query", "400 ValidationException: the query has a % without two hexadecimal digits", func(c *craft) { c.query = "a=%2" }, nil},
		{"chain in the wrong order", untrusted, func(c *craft) { c.set("X-Amz-X509-Chain", b64(w.upper.cert)+","+b64(w.lower.cert)) }, nil},
		{"chain missing", untrusted, func(c *craft) { c.del("X-Amz-X509-Chain") }, nil},
		{"one intermediate missing", untrusted, func(c *craft) { c.set("X-Amz-X509-Chain", b64(w.lower.cert)) }, nil},
		{"stranger in the chain", untrusted, func(c *craft) {
			c.set("X-Amz-X509-Chain", c.get("X-Amz-X509-Chain")+","+b64(newRoot(t, caTemplate("Other")).cert))
		}, nil},
		{"chain of six", untrusted, func(c *craft) { c.set("X-Amz-X509-Chain", strings.Repeat(b64(w.lower.cert)+",", 5)+b64(w.upper.cert)) }, nil},
		{"blank in the chain", invalidSignature, func(c *craft) { c.set("X-Amz-X509-Chain", b64(w.lower.cert)+", "+b64(w.upper.cert)) }, nil},
		{"chain not base64", invalidSignature, func(c *craft) { c.set("X-Amz-X509-Chain", "a,b") }, nil},
		{"chain not a certificate", invalidSignature, func(c *craft) { c.set("X-Amz-X509-Chain", "YWJj") }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.craft()
			if tt.before != nil {
				tt.before(c)
			}
			c.sign(t)
			if tt.after != nil {
				tt.after(c)
			}
			if got := send(t, w.e, c.wire()).String(); got != tt.want {
				t.Errorf("answer %s, want %s", got, tt.want)
			}
		})
	}
	if n := len(w.e.Sessions()); n != 1 {
		t.Errorf("%d sessions were given out, want only the good one", n)
	}
}

// TestCreateSession_certificates sends certificates that break a rule, in requests that are
// right otherwise.
func TestCreateSession_certificates(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	leafWith := func(change func(*x509.Certificate)) func(*testing.T) *craft {
		return func(t *testing.T) *craft {
			template := leafTemplate()
			change(template)
			return newCraft(w.e, w.root.issue(t, template))
		}
	}
	below := func(change func(*x509.Certificate)) func(*testing.T) *craft {
		return func(t *testing.T) *craft {
			template := caTemplate("Between")
			change(template)
			between := w.root.issue(t, template)
			return newCraft(w.e, between.issue(t, leafTemplate()), between.cert)
		}
	}
	tests := []struct {
		name string
		want string
		make func(*testing.T) *craft
	}{
		{"expired leaf", untrusted, leafWith(func(c *x509.Certificate) { c.NotAfter = testNow.Add(-time.Second) })},
		{"leaf of tomorrow", untrusted, leafWith(func(c *x509.Certificate) { c.NotBefore = testNow.Add(time.Second) })},
		{"leaf is a CA", insufficient, leafWith(func(c *x509.Certificate) { c.IsCA = true })},
		{"the trust anchor itself", insufficient, func(*testing.T) *craft { return newCraft(w.e, w.root) }},
		{"no digitalSignature", insufficient, leafWith(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })},
		{"no key usage", insufficient, leafWith(func(c *x509.Certificate) { c.KeyUsage = 0 })},
		{"empty subject", insufficient, leafWith(func(c *x509.Certificate) { c.Subject = pkix.Name{} })},
		{"leaf over 16 KB", insufficient, leafWith(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Value: make([]byte, 17<<10)}}
		})},
		{"critical extension nobody knows", untrusted, leafWith(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
		})},
		{"ampersand in the name", badTags, leafWith(func(c *x509.Certificate) { c.Subject.CommonName = "a & b" })},
		{"parenthesis in the organization", badTags, leafWith(func(c *x509.Certificate) { c.Subject.Organization = []string{"Example (EU)"} })},
		{"query in the URI", badTags, leafWith(func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "https", Host: "example.com", RawQuery: "a"}} })},
		{"RSA key of 1024 bits", insufficient, func(t *testing.T) *craft {
			key, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			return newCraft(w.e, w.root.issueFor(t, leafTemplate(), key))
		}},
		{"more than 50 session tags", badTags, leafWith(func(c *x509.Certificate) { c.Subject = wideName(51, "a") })},
		{"session tags over the packed size", badTags, leafWith(func(c *x509.Certificate) { c.Subject = wideName(20, strings.Repeat("a", 200)) })},
		{"expired twin of the root in the chain", untrusted, func(t *testing.T) *craft {
			template := caTemplate("Root")
			template.NotAfter = testNow.Add(-time.Second)
			return newCraft(w.e, w.root.issue(t, leafTemplate()), w.root.issueFor(t, template, w.root.key).cert)
		}},
		{"CA of the same name", untrusted, func(t *testing.T) *craft {
			return newCraft(w.e, newRoot(t, caTemplate("Root")).issue(t, leafTemplate()))
		}},
		{"CA of another name", untrusted, func(t *testing.T) *craft {
			return newCraft(w.e, newRoot(t, caTemplate("Other")).issue(t, leafTemplate()))
		}},
		{"expired intermediate", untrusted, below(func(c *x509.Certificate) { c.NotAfter = testNow.Add(-time.Second) })},
		{"intermediate is not a CA", untrusted, below(func(c *x509.Certificate) { c.IsCA = false })},
		{"intermediate without keyCertSign", untrusted, below(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })},
		{"intermediate without key usage", untrusted, below(func(c *x509.Certificate) { c.KeyUsage = 0 })},
		{"name constraint", untrusted, below(func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
		})},
		{"path length", untrusted, func(t *testing.T) *craft {
			template := caTemplate("Short")
			template.MaxPathLen, template.MaxPathLenZero = 0, true
			short := w.root.issue(t, template)
			between := short.issue(t, caTemplate("Between"))
			return newCraft(w.e, between.issue(t, leafTemplate()), between.cert, short.cert)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := send(t, w.e, tt.make(t).sign(t).wire()).String(); got != tt.want {
				t.Errorf("answer %s, want %s", got, tt.want)
			}
		})
	}
}

// wideName has n attributes of different types.
func wideName(n int, value string) pkix.Name {
	var name pkix.Name
	for i := range n {
		name.ExtraNames = append(name.ExtraNames, pkix.AttributeTypeAndValue{Type: []int{1, 3, 6, 1, 4, 1, 99999, i}, Value: value})
	}
	return name
}

// TestCreateSession_parameters asks for what may not be had.
func TestCreateSession_parameters(t *testing.T) {
	t.Parallel()
	const account = "arn:aws:rolesanywhere:us-east-1:111122223333:"
	w := newChainWorld(t, func(c *Config) {
		c.Roles = []Role{{}, {ARN: "arn:aws:iam::111122223333:role/picky", TrustAnchorARNs: []string{account + "trust-anchor/other"}}}
		c.Profiles = []Profile{
			{Duration: 2 * time.Hour, RoleARNs: []string{"arn:aws:iam::111122223333:role/kedge", "arn:aws:iam::111122223333:role/picky", "arn:aws:iam::111122223333:role/deleted"}},
			{ARN: account + "profile/off", Disabled: true},
			{ARN: "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/west"},
		}
		off := c.TrustAnchors[0]
		off.ARN, off.Disabled = account+"trust-anchor/off", true
		west := c.TrustAnchors[0]
		west.ARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/west"
		c.TrustAnchors = append(c.TrustAnchors, off, west)
	})
	anchorPattern := `satisfy regular expression pattern: ^arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*)$`
	rolePattern := `satisfy regular expression pattern: ^arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)$`
	tests := []struct {
		name     string
		want     string
		old, new string // in the body
	}{
		{"no such anchor", noAnchor, "trust-anchor/", "trust-anchor/x"},
		{"disabled anchor", noAnchor, "trust-anchor/6b656467-6500-4000-8000-000000000001", "trust-anchor/off"},
		{"anchor of another region", noAnchor, w.e.TrustAnchorARN(), "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/west"},
		{"anchor of another account", noAnchor, "111122223333:trust-anchor", "999999999999:trust-anchor"},
		{"anchor is no ARN", violated("trustAnchorArn", "'nonsense'", anchorPattern), w.e.TrustAnchorARN(), "nonsense"},
		{"anchor is a profile", violated("trustAnchorArn", "'"+w.e.ProfileARN()+"'", anchorPattern), w.e.TrustAnchorARN(), w.e.ProfileARN()},
		{"anchor left out", violated("trustAnchorArn", "null", "not be null"), "trustAnchorArn", "other"},
		{"anchor in other letters", violated("trustAnchorArn", "null", "not be null"), "trustAnchorArn", "TrustAnchorArn"},
		{"no such profile", noProfile, "profile/", "profile/x"},
		{"disabled profile", noProfile, "profile/6b656467-6500-4000-9000-000000000001", "profile/off"},
		{"profile of another region", noProfile, w.e.ProfileARN(), "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/west"},
		{"profile left out", violated("profileArn", "null", "not be null"), "profileArn", "other"},
		{"role not listed", notListed, "role/kedge", "role/admin"},
		{"role of another account", notListed, "iam::111122223333", "iam::999999999999"},
		{"role that was deleted", notAssumable, "role/kedge", "role/deleted"},
		{"role that wants another anchor", notAssumable, "role/kedge", "role/picky"},
		{"role is a user", violated("roleArn", "'arn:aws:iam::111122223333:user/kedge'", rolePattern), "role/kedge", "user/kedge"},
		{"role left out", violated("roleArn", "null", "not be null"), "roleArn", "other"},
		{"duration too short", violated("durationSeconds", "'899'", "have value greater than or equal to 900"), "900", "899"},
		{"duration too long", violated("durationSeconds", "'43201'", "have value less than or equal to 43200"), "900", "43201"},
		{"duration over the role's", overMaximum, "900", "7200"},
		{"profile's duration over the role's", overMaximum, `"durationSeconds":900,`, ""},
		{"duration is text", notJSON, "900", `"900"`},
		{"duration is no whole number", notJSON, "900", `900.5`},
		{"duration overflows", notJSON, "900", `99999999999999999999`},
		{"member twice", notJSON, `"durationSeconds":900`, `"durationSeconds":900,"durationSeconds":900`},
		{"body cut", notJSON, "}", ""},
		{"body with more behind", notJSON, "}", "}{}"},
		{"body is a list", notJSON, "{", "[{"},
		{"session name not accepted", noSessionName, "{", `{"roleSessionName":"web-1",`},
		{"session name too short", violated("roleSessionName", "'a'", "have length greater than or equal to 2"), "{", `{"roleSessionName":"a",`},
		{"session name too long", violated("roleSessionName", "'"+strings.Repeat("a", 65)+"'", "have length less than or equal to 64"), "{", `{"roleSessionName":"` + strings.Repeat("a", 65) + `",`},
		{"session name with a blank", violated("roleSessionName", "'a b'", `satisfy regular expression pattern: [\w+=,.@-]*`), "{", `{"roleSessionName":"a b",`},
		{"body too big", "413 RequestEntityTooLargeException: Request size exceeded", "{", "{" + strings.Repeat(" ", maxSessionBody)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.craft()
			c.body = strings.Replace(c.body, tt.old, tt.new, 1)
			if got := send(t, w.e, c.sign(t).wire()).String(); got != tt.want {
				t.Errorf("answer %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCreateSession_contradiction(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	c := w.craft()
	c.query = "roleArn=" + url.QueryEscape(w.e.RoleARN()+"x")
	want := "400 ValidationException: roleArn is given twice, with different values"
	if got := send(t, w.e, c.sign(t).wire()).String(); got != want {
		t.Errorf("answer %s, want %s", got, want)
	}
}
