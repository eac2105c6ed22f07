package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// anchorBody is the body of CreateTrustAnchor with changed members.
func anchorBody(t *testing.T, pem string, change map[string]any) string {
	t.Helper()
	body := map[string]any{"name": "a", "source": map[string]any{"sourceType": "CERTIFICATE_BUNDLE", "sourceData": map[string]any{"x509CertificateData": pem}}}
	for name, value := range change {
		if body[name] = value; value == nil {
			delete(body, name)
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func manyTags(n int) []any {
	var tags []any
	for i := range n {
		tags = append(tags, map[string]any{"key": fmt.Sprintf("k%d", i), "value": "v"})
	}
	return tags
}

// refusedCall is a request with what must be in its answer.
type refusedCall struct{ name, method, target, body, want string }

func TestControlPlane_refused(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	other := newRoot(t, caTemplate("Other"))
	leaf := w.root.issue(t, leafTemplate())
	noBasic := caTemplate("No basic constraints")
	noBasic.BasicConstraintsValid, noBasic.IsCA = false, false
	pem := string(w.root.pem())
	anchor := func(change map[string]any) string { return anchorBody(t, pem, change) }
	crl := func(data []byte) string {
		return fmt.Sprintf(`{"name":"c","trustAnchorArn":%q,"crlData":%q}`, w.TrustAnchorARN(), base64.StdEncoding.EncodeToString(data))
	}
	profile := func(rest string) string { return `{"name":"p","roleArns":[]` + rest + `}` }
	const invalid = "400 ValidationException: "
	w.checkRefused(t, []refusedCall{
		{"no name", "POST", "/trustanchors", anchor(map[string]any{"name": nil}), invalid + "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"empty name", "POST", "/trustanchors", anchor(map[string]any{"name": ""}), "have length greater than or equal to 1"},
		{"long name", "POST", "/trustanchors", anchor(map[string]any{"name": strings.Repeat("a", 256)}), "at 'name' failed to satisfy constraint: Member must have length less than or equal to 255"},
		{"name", "POST", "/trustanchors", anchor(map[string]any{"name": "a/b"}), `satisfy regular expression pattern: [ a-zA-Z0-9\-_]*`},
		{"name with a line", "POST", "/trustanchors", anchor(map[string]any{"name": "a\n"}), "satisfy regular expression pattern"},
		{"no source", "POST", "/trustanchors", anchor(map[string]any{"source": nil}), "Value null at 'source'"},
		{"type", "POST", "/trustanchors", anchor(map[string]any{"source": map[string]any{"sourceType": "X"}}), "Value 'X' at 'source.sourceType' failed to satisfy constraint: Member must satisfy enum value set"},
		{"no data", "POST", "/trustanchors", anchor(map[string]any{"source": map[string]any{"sourceType": "CERTIFICATE_BUNDLE"}}), "Value null at 'source.sourceData.x509CertificateData'"},
		{"long PEM", "POST", "/trustanchors", anchorBody(t, pem+strings.Repeat("\n", 16001-len(pem)), nil), "have length less than or equal to 16000"},
		{"PEM over the quota", "POST", "/trustanchors", anchorBody(t, pem+strings.Repeat("\n", 8001-len(pem)), nil), "8000 is the most"},
		{"no PEM", "POST", "/trustanchors", anchorBody(t, "x", nil), "its PEM holds 0 certificates"},
		{"leaf", "POST", "/trustanchors", anchorBody(t, string(leaf.pem()), nil), "Incorrect basic constraints for CA certificate"},
		{"no basic constraints", "POST", "/trustanchors", anchorBody(t, string(w.root.issue(t, noBasic).pem()), nil), "Incorrect basic constraints for CA certificate"},
		{"1000 tags", "POST", "/trustanchors", anchor(map[string]any{"tags": manyTags(1000)}), "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 200"},
		{"tag key", "POST", "/trustanchors", anchor(map[string]any{"tags": []any{map[string]any{"key": "ä", "value": ""}}}), "at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular"},
		{"tag of AWS", "POST", "/trustanchors", anchor(map[string]any{"tags": []any{map[string]any{"key": "AWS:a", "value": ""}}}), "is reserved"},
		{"tag twice", "POST", "/trustanchors", anchor(map[string]any{"tags": append(manyTags(1), manyTags(1)...)}), "Duplicate tag key: k0"},
		{"alias", "POST", "/trustanchors", anchor(map[string]any{"aliasName": "a//b"}), `"a//b" is not an alias`},
		{"alias of AWS", "POST", "/trustanchors", anchor(map[string]any{"aliasName": "aws/b"}), "is reserved"},
		{"alias of aws", "POST", "/trustanchors", anchor(map[string]any{"aliasName": "AWS/b"}), "is reserved"},
		{"event", "POST", "/trustanchors", anchor(map[string]any{"notificationSettings": []any{map[string]any{"event": "X", "enabled": true}}}), "at 'notificationSettings.1.member.event'"},
		{"threshold", "POST", "/trustanchors", anchor(map[string]any{"notificationSettings": []any{map[string]any{"event": "CA_CERTIFICATE_EXPIRY", "enabled": true, "threshold": 361}}}), "have value less than or equal to 360"},
		{"no enabled", "POST", "/trustanchors", anchor(map[string]any{"notificationSettings": []any{map[string]any{"event": "CA_CERTIFICATE_EXPIRY"}}}), "Value null at 'notificationSettings.1.member.enabled'"},
		{"cut short", "POST", "/trustanchors", `{"name":`, "400 SerializationException: "},
		{"member twice", "POST", "/trustanchors", `{"name":"a","name":"b"}`, "400 SerializationException: "},
		{"type of a member", "POST", "/trustanchors", `{"name":7}`, "400 SerializationException: "},
		{"nesting", "POST", "/trustanchors", strings.Repeat(`{"name":`, 20000), "400 SerializationException: "},
		{"list of another CA", "POST", "/crls", crl(newCRL(t, other, serial(1))), invalid + "no certificate of the anchor has the CRL's issuer name"},
		{"300,001 bytes", "POST", "/crls", crl(make([]byte, 300_001)), "at 'crlData' failed to satisfy constraint: Member must have length less than or equal to 300000"},
		{"no list", "POST", "/crls", crl([]byte("x")), invalid + "the CRL cannot be read"},
		{"anchor of the list", "POST", "/crls", strings.Replace(crl(newCRL(t, w.root, serial(1))), w.TrustAnchorARN(), w.TrustAnchorARN()+"0", 1), "404 ResourceNotFoundException: "},
		{"not an anchor", "POST", "/crls", strings.Replace(crl(newCRL(t, w.root, serial(1))), w.TrustAnchorARN(), w.ProfileARN(), 1), "at 'trustAnchorArn'"},
		{"no roles", "POST", "/profiles", `{"name":"p"}`, "Value null at 'roleArns'"},
		{"251 roles", "POST", "/profiles", `{"name":"p","roleArns":["a"` + strings.Repeat(`,"a"`, 250) + `]}`, "at 'roleArns' failed to satisfy constraint: Member must have length less than or equal to 250"},
		{"role", "POST", "/profiles", `{"name":"p","roleArns":["arn:aws:iam::111122223333:user/a"]}`, "at 'roleArns.1.member'"},
		{"role of another account", "POST", "/profiles", `{"name":"p","roleArns":["arn:aws:iam::999999999999:role/a"]}`, "is of another account"},
		{"899 seconds", "POST", "/profiles", profile(`,"durationSeconds":899`), "at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"43201 seconds", "POST", "/profiles", profile(`,"durationSeconds":43201`), "have value less than or equal to 43200"},
		{"51 policies", "POST", "/profiles", profile(`,"managedPolicyArns":["a"` + strings.Repeat(`,"a"`, 50) + `]`), "at 'managedPolicyArns'"},
		{"session policy", "POST", "/profiles", profile(`,"sessionPolicy":"{"`), invalid + "the session policy: "},
		{"unknown id", "GET", "/profile/6b656467-6500-4000-9000-00000000000f", "", "404 ResourceNotFoundException: "},
		{"another kind", "GET", "/profile/" + url.PathEscape(w.TrustAnchorARN()), "", "404 ResourceNotFoundException: "},
		{"another region", "GET", "/profile/" + url.PathEscape(strings.Replace(w.ProfileARN(), "us-east-1", "us-west-2", 1)), "", "404 ResourceNotFoundException: "},
		{"no such alias", "GET", "/profile/" + url.PathEscape("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/none"), "", "404 ResourceNotFoundException: "},
		{"long id", "GET", "/profile/" + strings.Repeat("a", 1012), "", "at 'profileId' failed to satisfy constraint: Member must have length less than or equal to 1011"},
		{"no page", "GET", "/profiles?pageSize=0", "", "at 'pageSize'"},
		{"page", "GET", "/profiles?pageSize=x", "", invalid + "pageSize"},
		{"token", "GET", "/profiles?nextToken=x", "", invalid + "Invalid nextToken"},
		{"token of another list", "GET", "/profiles?nextToken=" + base64.RawURLEncoding.EncodeToString([]byte("crl a")), "", invalid + "Invalid nextToken"},
		{"long token", "GET", "/profiles?nextToken=" + strings.Repeat("x", 10001), "", "have length less than or equal to 10000"},
		{"no resource", "GET", "/ListTagsForResource", "", "Value null at 'resourceArn'"},
		{"field", "PUT", "/profiles/" + url.PathEscape(w.ProfileARN()) + "/mappings", `{"certificateField":"x509","mappingRules":[]}`, "at 'certificateField' failed to satisfy constraint: Member must satisfy enum value set"},
		{"rules", "PUT", "/profiles/" + url.PathEscape(w.ProfileARN()) + "/mappings", `{"certificateField":"x509SAN","mappingRules":[` + strings.Repeat(`{"specifier":"-"},`, 100) + `{"specifier":"-"}]}`, "Value '[101 members]' at 'mappingRules'"},
		{"specifier", "PUT", "/profiles/" + url.PathEscape(w.ProfileARN()) + "/mappings", `{"certificateField":"x509SAN","mappingRules":[{"specifier":"` + strings.Repeat("a", 61) + `"}]}`, "have length less than or equal to 60"},
		{"no field", "DELETE", "/profiles/" + url.PathEscape(w.ProfileARN()) + "/mappings", "", "Value null at 'certificateField'"},
		{"unknown operation", "PUT", "/profiles", "{}", "404 UnknownOperationException: "},
	})
	if all := w.listAnchors(t, 50); len(all) != 1 {
		t.Errorf("a refused call has made a trust anchor: %q", all)
	}
}

// checkRefused sends requests of the administrator.
func (w *controlWorld) checkRefused(t *testing.T, calls []refusedCall) {
	t.Helper()
	for _, c := range calls {
		response, body := w.call(t, w.Administrator(), c.method, c.target, c.body)
		if got := refusalOf(response, body); !strings.Contains(got, c.want) {
			t.Errorf("%s: %.500s, want %s", c.name, got, c.want)
		}
		if len(body) > 2000 {
			t.Errorf("%s: an answer of %d bytes", c.name, len(body))
		}
	}
}

// TestControlPlane_aliases: an alias is unique, and not taken where the guide has exceptions.
func TestControlPlane_aliases(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t, func(c *Config) { c.TrustAnchors[0].Alias = "ca" })
	const alias = "arn:aws:rolesanywhere:us-east-1:111122223333:alias/trust-anchor/ca"
	list := base64.StdEncoding.EncodeToString(newCRL(t, w.root, serial(1)))
	w.checkRefused(t, []refusedCall{
		{"taken", "POST", "/trustanchors", anchorBody(t, string(w.root.pem()), map[string]any{"aliasName": "ca"}), "another one has this alias"},
		{"tags", "GET", "/ListTagsForResource?resourceArn=" + url.QueryEscape(alias), "", "404 ResourceNotFoundException: "},
		{"tag", "POST", "/TagResource", `{"resourceArn":"` + alias + `","tags":[]}`, "404 ResourceNotFoundException: "},
		{"notification", "PATCH", "/put-notifications-settings", `{"trustAnchorId":"` + alias + `","notificationSettings":[]}`, "404 ResourceNotFoundException: "},
		{"reset", "PATCH", "/reset-notifications-settings", `{"trustAnchorId":"` + alias + `","notificationSettingKeys":[]}`, "404 ResourceNotFoundException: "},
		{"CRL", "POST", "/crls", fmt.Sprintf(`{"name":"c","trustAnchorArn":%q,"crlData":%q}`, alias, list), "404 ResourceNotFoundException: "},
	})
}

// TestControlPlane_limits: what a resource may have at most, over several calls.
func TestControlPlane_limits(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	tag := func(from string, n int) string {
		data, _ := json.Marshal(map[string]any{"resourceArn": w.ProfileARN(), "tags": manyTags(n)})
		return strings.ReplaceAll(string(data), `"key":"k`, `"key":"`+from)
	}
	if response, body := w.call(t, w.Administrator(), "POST", "/TagResource", tag("a", 150)); response.StatusCode != 201 {
		t.Fatal(body)
	}
	list := fmt.Sprintf(`{"name":"c","trustAnchorArn":%q,"crlData":%q}`, w.TrustAnchorARN(), base64.StdEncoding.EncodeToString(newCRL(t, w.root, serial(1))))
	for range 2 {
		if response, body := w.call(t, w.Administrator(), "POST", "/crls", list); response.StatusCode != 201 {
			t.Fatal(body)
		}
	}
	w.checkRefused(t, []refusedCall{
		{"tags", "POST", "/TagResource", tag("b", 51), "400 TooManyTagsException: "},
		{"CRLs", "POST", "/crls", list, "2 CRLs already"},
	})
}
