package awskms

import (
	"crypto"
	"errors"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// TestCreate: a key of each type that the double has signs, has its alias, and is opened by its ID.
func TestCreate(t *testing.T) {
	k := use(t)
	c := NewClient(DefaultLimits())
	for _, typ := range []string{"P-256", "P-384", "P-521", "RSA-2048"} {
		made, err := c.Create(t.Context(), URI{Name: "Made/" + typ, Region: testenv.KMSRegion}, typ)
		if err != nil {
			t.Fatal(err)
		}
		signs(t, open(t, c, made.String()))
		byAlias := open(t, c, "awskms:key-id=alias/Made/"+typ+";region="+testenv.KMSRegion)
		if public := open(t, c, made.String()).Public().(interface{ Equal(crypto.PublicKey) bool }); !public.Equal(byAlias.Public()) {
			t.Errorf("%s: the alias is another key's", typ)
		}
	}
	before := k.Requests("CreateKey")
	_, err := c.Create(t.Context(), URI{Name: "Made/P-256", Region: testenv.KMSRegion}, "P-256")
	if _, ok := errors.AsType[*TakenError](err); !ok || k.Requests("CreateKey") != before {
		t.Errorf("a name that is taken: %v", err)
	}
	for _, wrong := range []struct {
		uri URI
		typ string
	}{{URI{KeyID: "a"}, "P-256"}, {URI{Name: "a"}, "P-224"}} {
		if _, err := c.Create(t.Context(), wrong.uri, wrong.typ); err == nil {
			t.Errorf("%+v", wrong)
		}
	}
}

// TestCreate_once: one call makes one key at most, whatever happens to the answers, and none is lost
// silently.
func TestCreate_once(t *testing.T) {
	k := use(t)
	c := NewClient(quick())
	uri := URI{Name: "once", Region: testenv.KMSRegion}
	nameless := testenv.Fault{Change: func(answer map[string]any) { delete(answer, "KeyMetadata") }}
	for _, f := range []testenv.Fault{{Lose: true}, {Delay: time.Minute}, {Code: "KMSInternalException", Status: 500}, nameless} {
		k.Fail(testenv.Always("CreateKey", f))
		before := k.Requests("CreateKey")
		_, err := c.Create(t.Context(), uri, "P-256")
		if _, ok := errors.AsType[*UnknownError](err); !ok || k.Requests("CreateKey") != before+1 {
			t.Errorf("%+v: %v after %d requests", f, err, k.Requests("CreateKey")-before)
		}
	}
	k.Fail(testenv.Always("CreateAlias", testenv.Fault{Code: "AccessDeniedException"}))
	_, err := c.Create(t.Context(), uri, "P-256")
	unnamed, ok := errors.AsType[*UnnamedError](err)
	if !ok {
		t.Fatal(err)
	}
	signs(t, open(t, c, unnamed.Key))
	for _, first := range []testenv.Fault{{Lose: true}, {Code: "NotFoundException"}} {
		failFirst(k, "CreateAlias", func() testenv.Fault { return first })
		made, err := c.Create(t.Context(), uri, "P-256")
		if err != nil {
			t.Fatal(err)
		}
		signs(t, open(t, c, made.String()))
		k.Fail(nil)
		k.Do(t, "DeleteAlias", map[string]any{"AliasName": "alias/once"})
	}
}

// TestCreate_aliasTaken: an alias that another key gets in between, while an answer is lost, is not taken
// for the new key's own.
func TestCreate_aliasTaken(t *testing.T) {
	k := use(t)
	other := k.Make(t, "ECC_NIST_P256", "SIGN_VERIFY")
	failFirst(k, "CreateAlias", func() testenv.Fault {
		k.Do(t, "CreateAlias", map[string]any{"AliasName": "alias/taken", "TargetKeyId": other})
		return testenv.Fault{Code: "KMSInternalException", Status: 500}
	})
	made, err := NewClient(quick()).Create(t.Context(), URI{Name: "taken", Region: testenv.KMSRegion}, "P-256")
	if _, ok := errors.AsType[*UnnamedError](err); !ok {
		t.Errorf("%v, %v", made, err)
	}
}

// failFirst has the first request of an operation fail.
func failFirst(k *testenv.KMS, operation string, fault func() testenv.Fault) {
	first := true
	k.Fail(func(of string) testenv.Fault {
		if of != operation || !first {
			return testenv.Fault{}
		}
		first = false
		return fault()
	})
}
