package main

import (
	"bytes"
	"testing"

	"kedge/internal/cli"
)

// TestNewRoot_alone: a command that is made without the others is the same.
func TestNewRoot_alone(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"issue", "sign"} {
		if all := newRoot(host{}, []string{command}).Commands(); len(all) != 1 {
			t.Fatalf("%s: %d commands", command, len(all))
		}
		for _, args := range [][]string{{command, "--help"}, {command}, {command, "a", "b"}, {command, "--nosuch"}} {
			var alone, among bytes.Buffer
			code := run(t.Context(), args, cli.Streams{Out: &alone, Err: &alone})
			s := cli.Streams{Out: &among, Err: &among}
			want := cli.Main(t.Context(), cli.Program{Name: name, Root: newRoot(newHost(s), nil), Advise: advise, Prepare: cli.UseVariables(variable)}, args, s)
			if code != want || alone.String() != among.String() || alone.Len() == 0 {
				t.Errorf("%q: exit %d:\n%s\nwant exit %d:\n%s", args, code, &alone, want, &among)
			}
		}
	}
}
