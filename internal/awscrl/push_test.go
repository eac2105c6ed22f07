package awscrl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/awsaccount"
)

// TestPush: a list is imported with its tag, replaced by the next one, and left alone if it is there.
func TestPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var arn string
	for _, step := range []struct {
		make   bool
		change Change
		sent   string // the requests that change something
	}{
		{true, Imported, "POST crls"},
		{false, Unchanged, ""},
		{true, Updated, "PATCH crl"},
		{false, Unchanged, ""},
	} {
		if step.make {
			w.make()
		}
		w.sent = nil
		r, err := w.Push(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		own, err := w.own(t.Context())
		w.must(err)
		if r.Change != step.change || strings.Join(w.sent, ",") != step.sent {
			t.Errorf("%s, %q; want %s, %q", r.Change, w.sent, step.change, step.sent)
		}
		if r.Number != own.number() || r.Entries != int(own.number()) || !r.NextUpdate.Equal(own.NextUpdate) || len(r.Twins) != 0 || arn != "" && r.ARN != arn {
			t.Errorf("%+v", r)
		}
		if r.Change == Updated && r.Before != r.Number-1 {
			t.Errorf("before it was %d", r.Before)
		}
		arn = r.ARN
		all := w.atAWS()
		if len(all) != 1 || !aws.ToBool(all[0].Enabled) || !bytes.Equal(all[0].CrlData, own.pem) || *all[0].CrlArn != arn || *all[0].Name != "ca" {
			t.Errorf("AWS has %+v", all)
		}
		if tagged, err := w.isTagged(t.Context(), arn); !tagged || err != nil {
			t.Errorf("tagged %v, %v", tagged, err)
		}
	}
}

// TestPush_refuses: what must not be replaced, or pushed, changes nothing at AWS.
func TestPush_refuses(t *testing.T) {
	t.Parallel()
	is := func(err error) func(error) bool {
		return func(got error) bool { return fmt.Sprintf("%T", got) == fmt.Sprintf("%T", err) }
	}
	for _, tt := range []struct {
		name  string
		setUp func(*world)
		want  func(error) bool
		text  string
	}{
		{"no list was made", func(*world) {}, is(&NoListError{}), `there is no list of "ca"`},
		{"no tag", func(w *world) { w.there(w.make().DER) }, is(&UntaggedError{}), "is a list of this CA without its tag"},
		{"tag of another object", func(w *world) {
			w.there(w.make().DER, TagOf("ca2", owners(w.ca)).sdk())
		}, is(&UntaggedError{}), "without its tag"},
		{"tag of another CA", func(w *world) {
			w.there(w.make().DER, TagOf("ca", owners(w.other)).sdk())
		}, is(&UntaggedError{}), "without its tag"},
		{"our tag on the list of another CA", func(w *world) { w.make(); w.there(w.other.list(t, 1), w.tag()) }, is(&ForeignError{}), `did not sign it`},
		{"a higher number", func(w *world) { w.make(); w.there(w.ca.list(t, 41), w.tag()) }, is(&BehindError{}), "list 41 of \"ca\", is one that the ledger did not record"},
		{"an unknown revocation", func(w *world) {
			w.make()
			w.make()
			w.there(w.ca.list(t, 1, 0x77), w.tag())
		}, is(&BehindError{}), "has revocations that the ledger lacks: 77"},
		{"an unknown revocation without our tag", func(w *world) { w.make(); w.there(w.ca.list(t, 1, 0x77)) }, is(&BehindError{}), "lacks: 77"},
		{"no room", func(w *world) {
			w.make()
			w.there(w.other.list(t, 1))
			w.there(w.other.list(t, 2))
		}, is(&FullError{}), `has no room for the list of "ca": it has 2 lists, arn:aws:`},
		{"too large", func(w *world) {
			serials := make([]int64, 9000)
			for i := range serials {
				serials[i] = int64(i) + 1<<40
			}
			w.record(w.ca.list(t, 1, serials...), 1, true)
		}, is(&SizeError{}), fmt.Sprintf("IAM Roles Anywhere takes %d at most", ca.MaxCRLSize)},
		{"signed by another key", func(w *world) { w.record(w.other.list(t, 1), 1, true) }, is(&issuance.OddListError{}), "did not sign it"},
		{"an older list is to be pushed", func(w *world) {
			w.make()
			later := w.ca.list(t, 2)
			w.record(later, 2, false)
			w.there(later, w.tag())
		}, is(&OlderError{}), "is list 2 of \"ca\" already, and the one to push is list 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.setUp(w)
			before := w.atAWS()
			r, err := w.Push(t.Context())
			if r != nil || err == nil || !tt.want(err) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%+v, %T %v", r, err, err)
			}
			if len(w.sent) != 0 || !reflect.DeepEqual(w.atAWS(), before) {
				t.Errorf("changed by %q", w.sent)
			}
		})
	}
}

// TestPush_forgotten: what the ledger lacks is the refusal that kedge-ca crl makes of the list in the folder.
func TestPush_forgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.make()
	arn := w.there(w.ca.list(t, 7, 0x77, 0x78), w.tag())
	_, err := w.Push(t.Context())
	forgotten, ok := errors.AsType[*issuance.ForgottenError](err)
	if !ok || forgotten.Number != 7 || !slices.Equal(forgotten.Serials, []string{"77", "78"}) || forgotten.Where != arn {
		t.Fatalf("%+v", err)
	}
	taken, err := w.Take(t.Context(), "restored from an older backup")
	if err != nil || len(taken) != 1 || taken[0].Number != 7 || taken[0].ARN != arn || len(taken[0].Serials) != 2 {
		t.Fatalf("%+v, %v", taken, err)
	}
	if again, err := w.Take(t.Context(), ""); len(again) != 0 || err != nil {
		t.Errorf("taken again: %+v, %v", again, err)
	}
	if _, err := w.Push(t.Context()); !is[*OlderError](err) {
		t.Errorf("the list without them was pushed: %v", err)
	}
	if made := w.make(); made.Number != 8 || made.Entries != 4 {
		t.Errorf("%+v", made)
	}
	if r, err := w.Push(t.Context()); err != nil || r.Before != 7 || r.Number != 8 || r.Entries != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// TestPush_interrupted: whatever happens to a request, a later push goes on, and there is one list, with the tag.
func TestPush_interrupted(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"lost", "cut", "cut=body", "unavailable=3", "status=500", "throttle", "throttle*3", "status=403", "html", "body"} {
		for n := 1; n <= 5; n++ {
			if fault == "body" && n != 2 && n != 3 {
				continue // an answer to ListCrls without lists is one that there are none
			}
			t.Run(fmt.Sprintf("%s@%d", fault, n), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				for range 2 { // an import, and an update
					w.make()
					w.inject(fmt.Sprintf("rolesanywhere:%s@%d", fault, n))
					failed := 0
					var err error
					for range 4 { // until no fault is left
						if _, err = w.Push(t.Context()); err == nil {
							continue
						}
						failed++
						if !is[*awsaccount.Error](err) && !is[*AnswerError](err) && !is[*UntaggedError](err) {
							t.Errorf("%T: %v", err, err)
						}
					}
					own, ownErr := w.own(t.Context())
					w.must(ownErr)
					all := w.atAWS()
					if err != nil || failed > 1 || len(all) != 1 || !bytes.Equal(all[0].CrlData, own.pem) {
						t.Fatalf("failed %d times, AWS has %d lists", failed, len(all))
					}
					if tagged, err := w.isTagged(t.Context(), *all[0].CrlArn); !tagged || err != nil {
						t.Errorf("tagged %v, %v", tagged, err)
					}
				}
			})
		}
	}
}

// TestPush_lostImport: an import whose answer was lost is not sent again, but looked for, also if it did not arrive.
func TestPush_lostImport(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]Change{"lost": Imported, "cut": ""} {
		w := newWorld(t)
		w.make()
		w.meanwhile = func(string) { w.inject("rolesanywhere:" + fault); w.meanwhile = nil }
		r, err := w.Push(t.Context())
		if want == "" {
			if !is[*UnknownOutcomeError](err) {
				t.Errorf("%s: %v", fault, err)
			}
		} else if err != nil || r.Change != want {
			t.Errorf("%s: %+v, %v", fault, r, err)
		}
		if len(w.sent) != 1 {
			t.Errorf("%s: it was sent %d times", fault, len(w.sent))
		}
	}
}

// TestPush_readBack: a list that is not as it was pushed is an error, whatever AWS answered.
func TestPush_readBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.make()
	_, err := w.Push(t.Context())
	w.must(err)
	var old []byte
	w.answer = func(r *http.Request, response *http.Response) { // the list is never another one
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/crl/") {
			return
		}
		body, _ := io.ReadAll(response.Body)
		if old == nil {
			old = body
		}
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(old)), int64(len(old))
	}
	w.make()
	r, err := w.Push(t.Context())
	if !is[*ReadBackError](err) || !strings.HasSuffix(err.Error(), " is list 1 with 1 revoked after it was replaced by list 2 with 2 revoked") {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPush_disabled: a list that revokes nothing, since somebody disabled it, is brought up to date and an error.
func TestPush_disabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.make()
	r, err := w.Push(t.Context())
	w.must(err)
	_, err = w.Account.RolesAnywhere.DisableCrl(t.Context(), &rolesanywhere.DisableCrlInput{CrlId: &r.ARN})
	w.must(err)
	for _, change := range []Change{Updated, Unchanged} {
		if change == Updated {
			w.make()
		}
		if r, err = w.Push(t.Context()); !is[*DisabledError](err) || r == nil || r.Change != change || r.Number != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// TestPush_later: a list that another process makes, or pushes, meanwhile is pushed, and none before it after that.
func TestPush_later(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.make()
	_, err := w.Push(t.Context())
	w.must(err)
	w.make()
	w.meanwhile = func(string) { w.meanwhile = nil; w.make() }
	if r, err := w.Push(t.Context()); err != nil || r.Before != 1 || r.Number != 3 || r.Entries != 3 || len(w.numbers) != 3 {
		t.Errorf("%+v, %v: %v", r, err, w.numbers)
	}
	own, err := w.own(t.Context())
	w.must(err)
	later := w.make()
	w.must(w.update(t.Context(), *w.atAWS()[0].CrlArn, later.PEM))
	if _, err := w.push(t.Context(), own); !is[*OlderError](err) {
		t.Errorf("an older list was pushed: %v", err)
	}
	if r, err := w.Push(t.Context()); err != nil || r.Change != Unchanged || r.Number != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPush_twins: of two lists with the tag, as two operators at once leave them, the older one is kept up to date; the
// other is named, and counts for what is not lost.
func TestPush_twins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.make()
	one, two := w.there(first.DER, w.tag()), w.there(first.DER, w.tag())
	w.make()
	r, err := w.Push(t.Context())
	if err != nil || r.Change != Updated || r.ARN != one || !slices.Equal(r.Twins, []string{two}) {
		t.Errorf("%+v, %v", r, err)
	}
	w.must(w.update(t.Context(), two, w.ca.list(t, 9, 0x77)))
	w.numbers = nil
	w.make()
	if _, err := w.Push(t.Context()); !is[*BehindError](err) {
		t.Error(err)
	}
}

// TestState: what AWS has is read, and nothing is changed.
func TestState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if s, err := w.State(t.Context()); s != nil || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
	made := w.make()
	arn := w.there(made.DER, w.tag())
	if s, err := w.State(t.Context()); err != nil || s.ARN != arn || s.Number != 1 || !s.NextUpdate.Equal(made.NextUpdate) || !s.Enabled {
		t.Errorf("%+v, %v", s, err)
	}
	if len(w.sent) != 0 {
		t.Error(w.sent)
	}
}

// TestPush_otherAnchor: a list of another trust anchor is not this one, whatever its tag is.
func TestPush_otherAnchor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, here := w.make(), w.Anchor
	another, err := w.Account.RolesAnywhere.CreateTrustAnchor(t.Context(), &rolesanywhere.CreateTrustAnchorInput{Name: aws.String("another"), Source: &types.Source{
		SourceType: types.TrustAnchorTypeCertificateBundle, SourceData: &types.SourceDataMemberX509CertificateData{Value: string(pemOf(w.ca.root.Certificate))},
	}})
	w.must(err)
	w.Anchor = *another.TrustAnchor.TrustAnchorArn
	arn := w.there(made.DER, w.tag())
	w.Anchor = here
	w.make()
	if r, err := w.Push(t.Context()); err != nil || r.Change != Imported || r.ARN == arn {
		t.Errorf("%+v, %v", r, err)
	}
	if l, err := w.get(t.Context(), arn); err != nil || !bytes.Equal(l.data, made.PEM) {
		t.Errorf("the list of the other trust anchor was changed: %v", err)
	}
}
