package awskms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // of P-384 and P-521
	"errors"
	"sync"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// use starts a double of KMS, and has the SDK find it.
func use(t *testing.T) *testenv.KMS {
	t.Helper()
	k := testenv.NewKMS(t)
	for name, value := range k.Variables() {
		t.Setenv(name, value)
	}
	return k
}

// quick are limits for tests in which KMS fails until the deadline.
func quick() Limits {
	return Limits{Deadline: 3 * time.Second, Attempt: 1200 * time.Millisecond, Parallel: 4}
}

func parse(t *testing.T, text string) URI {
	t.Helper()
	u, err := ParseURI(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func open(t *testing.T, c *Client, text string) *Key {
	t.Helper()
	key, err := c.Open(t.Context(), parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signs checks that a signature of a digest verifies.
func signs(t *testing.T, key crypto.Signer) {
	t.Helper()
	hash := crypto.SHA256
	if public, ok := key.Public().(*ecdsa.PublicKey); ok {
		hash = map[string]crypto.Hash{"P-256": crypto.SHA256, "P-384": crypto.SHA384, "P-521": crypto.SHA512}[public.Params().Name]
	}
	h := hash.New()
	h.Write([]byte(t.Name()))
	digest := h.Sum(nil)
	signature, err := key.Sign(rand.Reader, digest, hash)
	if err != nil {
		t.Error(err)
		return
	}
	ok := false
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(public, digest, signature)
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(public, hash, digest, signature) == nil
	}
	if !ok {
		t.Errorf("%v: a signature of %T does not verify", key, key.Public())
	}
}

func TestOpen(t *testing.T) {
	k := use(t)
	c := NewClient(DefaultLimits())
	for _, spec := range []string{"ECC_NIST_P256", "ECC_NIST_P384", "RSA_3072"} {
		key := open(t, c, k.MakeSigning(t, spec))
		signs(t, key)
		if len(key.Warnings()) > 0 {
			t.Error(key.Warnings())
		}
	}
	if n := k.Requests("GetPublicKey"); n != 3 {
		t.Errorf("%d requests for three public keys", n)
	}
}

// TestOpen_alias: the case of an alias counts, and a key stays the one that was opened when its alias is
// given to another.
func TestOpen_alias(t *testing.T) {
	k := use(t)
	c := NewClient(DefaultLimits())
	upper, lower := k.Make(t, "ECC_NIST_P256", "SIGN_VERIFY"), k.Make(t, "ECC_NIST_P256", "SIGN_VERIFY")
	k.Do(t, "CreateAlias", map[string]any{"AliasName": "alias/Issuing", "TargetKeyId": upper})
	k.Do(t, "CreateAlias", map[string]any{"AliasName": "alias/issuing", "TargetKeyId": lower})
	key := open(t, c, "awskms:key-id=alias/Issuing;region="+testenv.KMSRegion)
	if !key.Public().(*ecdsa.PublicKey).Equal(open(t, c, "awskms:key-id="+upper+";region="+testenv.KMSRegion).Public()) {
		t.Error("an alias opens the key of another")
	}
	signs(t, key)
	k.Do(t, "UpdateAlias", map[string]any{"AliasName": "alias/Issuing", "TargetKeyId": lower})
	signs(t, key)
}

// TestSign_late: what comes late is waited for, and what fails at first is repeated.
func TestSign_late(t *testing.T) {
	k := use(t)
	key := open(t, NewClient(DefaultLimits()), k.MakeSigning(t, "ECC_NIST_P256"))
	k.Fail(testenv.Always("Sign", testenv.Fault{Delay: 3 * time.Second}))
	signs(t, key)
	left := 3
	k.Fail(func(string) testenv.Fault {
		if left--; left < 0 {
			return testenv.Fault{}
		}
		return testenv.Fault{Code: "ThrottlingException"}
	})
	signs(t, key)
	if n := k.Requests("Sign"); n != 1+4 {
		t.Errorf("%d requests", n)
	}
	k.Stop()
	go func() {
		time.Sleep(200 * time.Millisecond)
		k.Start(t)
	}()
	signs(t, key)
}

// TestSign_parallel: so many signatures are in progress at once as may be, and the others wait for
// their turn, or get an error at the deadline.
func TestSign_parallel(t *testing.T) {
	k := use(t)
	c := NewClient(quick())
	key := open(t, c, k.MakeSigning(t, "ECC_NIST_P256"))
	k.Fail(testenv.Always("Sign", testenv.Fault{Delay: 10 * time.Millisecond}))
	together(t, 40, func() { signs(t, key) })
	if most := k.Most(); most > quick().Parallel || most < 2 {
		t.Errorf("%d requests were in progress at once", most)
	}
	k.Fail(testenv.Always("Sign", testenv.Fault{Delay: time.Minute}))
	var mu sync.Mutex
	kinds := map[Kind]int{}
	together(t, 8, func() {
		_, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
		e, _ := errors.AsType[*Error](err)
		if e.Overloaded() != (e.Kind == Busy) {
			t.Error(e)
		}
		mu.Lock()
		defer mu.Unlock()
		kinds[e.Kind]++
	})
	if kinds[Slow] < quick().Parallel || kinds[Slow]+kinds[Busy] != 8 {
		t.Error(kinds)
	}
}

func together(t *testing.T, n int, f func()) {
	t.Helper()
	var group sync.WaitGroup
	for range n {
		group.Go(f)
	}
	group.Wait()
}

// TestOpen_canceled: a caller that goes away gets its own error at once.
func TestOpen_canceled(t *testing.T) {
	k := use(t)
	uri := parse(t, k.MakeSigning(t, "ECC_NIST_P256"))
	k.Fail(func(string) testenv.Fault { return testenv.Fault{Delay: time.Minute} })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := NewClient(DefaultLimits()).Open(ctx, uri); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
