package awscrl

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsaccount"
	"kedge/internal/awsrights"
)

// without returns rights that lack one action.
func without(rights func(awsrights.Scope) []awsrights.Statement, action string) func(awsrights.Scope) []awsrights.Statement {
	return func(s awsrights.Scope) (left []awsrights.Statement) {
		for _, statement := range rights(s) {
			statement.Actions = slices.DeleteFunc(slices.Clone(statement.Actions), func(a string) bool { return a == action })
			if len(statement.Actions) > 0 {
				left = append(left, statement)
			}
		}
		return left
	}
}

// TestRights: the rights of each command are enough, none can be left out, and they are those of its requests.
func TestRights(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rights func(awsrights.Scope) []awsrights.Statement
		do     func(*world) error
		more   []string // actions that no request is called by
	}{
		"push": {PushRights, (*world).pushTwice, []string{"rolesanywhere:TagResource"}},
		"state": {StateRights, func(w *world) error {
			w.administrator(w.make().PEM)
			_, err := w.State(w.t.Context())
			return err
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.rights)
			if err := tt.do(w); err != nil {
				t.Fatal(err)
			}
			all := awsrights.Actions(tt.rights(awsrights.Scope{}))
			var called []string
			for _, call := range w.emulator.Calls() {
				if action := "rolesanywhere:" + call.Operation; !slices.Contains(called, action) {
					called = append(called, action)
				}
			}
			called = append(called, tt.more...)
			if name == "state" {
				called = slices.DeleteFunc(called, func(a string) bool { return a == "rolesanywhere:ImportCrl" }) // the administrator's
			}
			slices.Sort(called)
			if sorted := slices.Sorted(slices.Values(all)); !slices.Equal(sorted, called) {
				t.Errorf("the rights are for %q, and the requests were %q", sorted, called)
			}
			for _, action := range all {
				err := tt.do(newWorld(t, without(tt.rights, action)))
				if !awsaccount.Is(err, awsaccount.Denied) || !strings.Contains(err.Error(), "may not do "+action+" on ") {
					t.Errorf("without %s: %v", action, err)
				}
			}
		})
	}
}

// pushTwice pushes a list that is imported, and one that replaces it.
func (w *world) pushTwice() error {
	for range 2 {
		w.make()
		if _, err := w.Push(w.t.Context()); err != nil {
			return err
		}
	}
	return nil
}

// administrator imports a list with the CA's tag.
func (w *world) administrator(list []byte) {
	w.t.Helper()
	_, err := w.rootClient().ImportCrl(w.t.Context(), &rolesanywhere.ImportCrlInput{
		Name: aws.String("ca"), TrustAnchorArn: &w.Anchor, CrlData: list, Enabled: aws.Bool(true), Tags: []types.Tag{w.tag()},
	})
	w.must(err)
}

func (w *world) rootClient() *rolesanywhere.Client {
	u := w.emulator.Administrator()
	return rolesanywhere.New(rolesanywhere.Options{
		Region: "us-east-1", BaseEndpoint: w.Account.RolesAnywhere.Options().BaseEndpoint, Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
	})
}

// TestRights_others: with these rights no list of another is changed, even if it has the name of this one.
func TestRights_others(t *testing.T) {
	t.Parallel()
	w := newWorld(t, PushRights)
	_, err := w.rootClient().ImportCrl(t.Context(), &rolesanywhere.ImportCrlInput{Name: aws.String("ca"), TrustAnchorArn: &w.Anchor, CrlData: w.make().PEM, Enabled: aws.Bool(true)})
	w.must(err)
	out, err := w.rootClient().ListCrls(t.Context(), &rolesanywhere.ListCrlsInput{})
	w.must(err)
	if err := w.update(t.Context(), *out.Crls[0].CrlArn, w.make().PEM); !awsaccount.Is(err, awsaccount.Denied) {
		t.Errorf("a list without the tag is updated: %v", err)
	}
	w.Tag.Values[0] = strings.Replace(w.Tag.Values[0], w.Tag.Values[0][:4], "0000", 1)
	if _, err := w.create(t.Context(), w.make().PEM); !awsaccount.Is(err, awsaccount.Denied) {
		t.Errorf("a list with the tag of another CA is imported: %v", err)
	}
}
