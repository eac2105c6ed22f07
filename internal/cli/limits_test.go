package cli

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"
)

// TestLimit: a limit that is given empty is refused, and not taken for none.
func TestLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args     []string
		one, all []string
		refused  bool
	}{
		{args: []string{"--one", "batch, west", "--one=b"}, one: []string{"batch, west", "b"}},
		{args: []string{"--all", "a,b", "--all", "c"}, all: []string{"a", "b", "c"}},
		{args: []string{"--one", ""}, refused: true},
		{args: []string{"--one", "a", "--one", " "}, refused: true},
		{args: []string{"--all", ""}, refused: true},
		{args: []string{"--all", "a,"}, refused: true},
		{},
	} {
		var one, all []string
		flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
		flags.Var(Limit(&one), "one", "")
		flags.Var(LimitList(&all), "all", "")
		err := flags.Parse(tt.args)
		if tt.refused != (err != nil) || !tt.refused && (!slices.Equal(one, tt.one) || !slices.Equal(all, tt.all)) {
			t.Errorf("%q: %q, %q, %v", tt.args, one, all, err)
		}
	}
}

// TestLimit_variable: a variable of the environment sets all values, and none of them can be empty either.
func TestLimit_variable(t *testing.T) {
	t.Parallel()
	values := []string{"old"}
	flag := &pflag.Flag{Value: Limit(&values)}
	if err := setFlag(flag, "a,b"); err != nil || !slices.Equal(values, []string{"a", "b"}) {
		t.Errorf("%q, %v", values, err)
	}
	if err := setFlag(flag, "a,"); err == nil {
		t.Errorf("%q", values)
	}
}
