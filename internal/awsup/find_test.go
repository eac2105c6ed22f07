package awsup

import (
	"errors"
	"strings"
	"testing"

	"kedge/internal/awsplan"
)

// TestPrepare_policies: each managed policy that roles are to get is looked for once; those that do not exist are named,
// before anything is changed.
func TestPrepare_policies(t *testing.T) {
	w := newWorld(t, nil)
	wanted := twoRoles(newCA(t, "Root"))
	wanted.Roles[1].Attached = wanted.Roles[0].Attached
	if _, err := Prepare(t.Context(), w.admin(t), wanted); err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, call := range w.Calls() {
		if call.Operation == "GetPolicy" {
			looked++
		}
	}
	if looked != 1 {
		t.Errorf("%d requests for one policy", looked)
	}
	const gone, boundary = "arn:aws:iam::111122223333:policy/Gone", "arn:aws:iam::aws:policy/NoSuchBoundary"
	wanted.Roles[0].Attached = append(wanted.Roles[0].Attached, gone)
	wanted.Roles[1].Boundary = boundary
	_, err := w.up(t.Context(), t, wanted)
	e, ok := errors.AsType[*awsplan.NoPolicyError](err)
	if !ok || !strings.Contains(e.Error(), gone+", for the role backup; "+boundary+", for the role batch") || strings.Contains(e.Error(), readOnly) {
		t.Fatal(err)
	}
	for _, call := range w.Calls() {
		if strings.HasPrefix(call.Operation, "Create") {
			t.Errorf("it called %s", call.Operation)
		}
	}
}
