package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestCreateSession_mapping: the profile's attribute mappings decide which tags a session has.
func TestCreateSession_mapping(t *testing.T) {
	t.Parallel()
	const defaults = "[x509Issuer/CN x509SAN/DNS x509Subject/CN x509Subject/O]"
	for _, tt := range []struct{ name, method, query, body, want string }{
		{"default", "GET", "", "", defaults},
		{"one attribute", "PUT", "", `{"certificateField":"x509Subject","mappingRules":[{"specifier":"O"}]}`, "[x509Issuer/CN x509SAN/DNS x509Subject/O]"},
		{"an OID", "PUT", "", `{"certificateField":"x509Subject","mappingRules":[{"specifier":"1.2.3"}]}`, "[x509Issuer/CN x509SAN/DNS]"},
		{"all", "PUT", "", `{"certificateField":"x509Subject","mappingRules":[{"specifier":"*"}]}`, defaults},
		{"without a field", "DELETE", "?certificateField=x509SAN", "", "[x509Issuer/CN x509Subject/CN x509Subject/O]"},
		{"without a rule", "DELETE", "?certificateField=x509SAN&specifiers=DNS", "", "[x509Issuer/CN x509Subject/CN x509Subject/O]"},
	} {
		w := newControlWorld(t)
		if tt.method != "GET" {
			w.do(t, tt.method, "/profiles/"+idOf(w.ProfileARN())+"/mappings"+tt.query, tt.body)
		}
		w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, leafTemplate())).created(t)
		if got := fmt.Sprint(slices.Sorted(maps.Keys(w.Sessions()[0].Tags))); got != tt.want {
			t.Errorf("%s: tags %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestCheckTags: the limits of one tag, and of all of them.
func TestCheckTags(t *testing.T) {
	t.Parallel()
	many := func(n, size int) map[string]string {
		tags := map[string]string{}
		for i := range n {
			tags[fmt.Sprintf("%02d", i)] = strings.Repeat("a", size)
		}
		return tags
	}
	for _, tt := range []struct {
		name    string
		tags    map[string]string
		allowed bool
	}{
		{"50 tags", many(50, 1), true},
		{"51 tags", many(51, 1), false},
		{"256 characters beyond ASCII", map[string]string{"a": strings.Repeat("é", 256)}, true},
		{"257 characters", map[string]string{"a": strings.Repeat("é", 257)}, false},
		{"packed into 100 percent", many(16, 254), true},
		{"packed into more", many(17, 254), false},
		{"the alphabet", map[string]string{"a": "Ä 7_.:/=+-@"}, true},
		{"a parenthesis", map[string]string{"a": "web(1"}, false},
	} {
		if refusal := checkTags(tt.tags); (refusal == nil) != tt.allowed || refusal != nil && refusal.Message != textTags {
			t.Errorf("%s: %v", tt.name, refusal)
		}
	}
}

// TestCreateSession_unmappedValue: a value that no session tag can have is no obstacle in an
// attribute that is not mapped.
func TestCreateSession_unmappedValue(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	template := leafTemplate()
	template.Subject.Organization = []string{"Smith & Sons"}
	leaf := w.root.issue(t, template)
	if got := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf); got.message != textTags {
		t.Errorf("mapped: %s", got)
	}
	w.do(t, "PUT", "/profiles/"+idOf(w.ProfileARN())+"/mappings", `{"certificateField":"x509Subject","mappingRules":[{"specifier":"CN"}]}`)
	w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).created(t)
}
