package enroll

import (
	"regexp"
	"testing"

	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// TestEnroll_randomName: a token whose pattern has {random} names each host by its key, the same again
// for the same key, and gives no other name.
func TestEnroll_randomName(t *testing.T) {
	t.Parallel()
	w := newTemplate(t).world(t)
	token := w.token(func(t *ledger.Token) { t.Pattern, t.Uses = "new-{random}", 2 })
	names := map[string]bool{}
	enroll := func(h *machine, name string) result {
		return w.post(enrollapi.PathEnroll, h.enrollRequest(name))
	}
	first := &machine{w: w, key: newKey(t), token: token}
	got := enroll(first, "").certificate(t)
	name := got.Subject.CommonName
	if !regexp.MustCompile(`^new-[0-9a-hjkmnp-tv-z]{10}$`).MatchString(name) {
		t.Errorf("the name is %q", name)
	}
	names[name] = true
	if again := enroll(first, "").certificate(t); !again.Equal(got) {
		t.Errorf("asked again, the host gets the name %q", again.Subject.CommonName)
	}
	second := &machine{w: w, key: newKey(t), token: token}
	for _, other := range []string{name, "new-0000000000", "new-"} {
		if refused := enroll(second, other); refused.rule != "token-name" {
			t.Errorf("the name %q: %s", other, refused.rule)
		}
	}
	names[enroll(second, "").certificate(t).Subject.CommonName] = true
	if len(names) != 2 {
		t.Errorf("two hosts have the names %v", names)
	}
	if third := enroll(&machine{w: w, key: newKey(t), token: token}, ""); third.rule != "token-spent" {
		t.Errorf("a third host: %s", third.rule)
	}
}
