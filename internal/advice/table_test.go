package advice

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"kedge/internal/cli"
)

// The code and the hint are looked up apart: neither changes the other.
func TestTable(t *testing.T) {
	t.Parallel()
	one, other := errors.New("one"), errors.New("other")
	hints := Table{Any("first", one), Any("second", one, other)}
	isOther := func(err error) bool { return errors.Is(err, other) }
	for _, tt := range []struct {
		name  string
		table Table
		err   error
		want  cli.Advice
	}{
		{"no rows", nil, one, cli.Advice{Code: cli.ExitFailed}},
		{"none fits", hints, errors.New("new"), cli.Advice{Code: cli.ExitFailed}},
		{"the first that fits", hints, one, cli.Advice{Code: cli.ExitFailed, Hint: "first"}},
		{"wrapped", hints, fmt.Errorf("around: %w", other), cli.Advice{Code: cli.ExitFailed, Hint: "second"}},
		{"a code after the hint", append(hints, Row{Fits: isOther, Code: cli.ExitKey}), other, cli.Advice{Code: cli.ExitKey, Hint: "second"}},
		{"a code before the hint", append(Table{{Fits: isOther, Code: cli.ExitKey}}, hints...), other, cli.Advice{Code: cli.ExitKey, Hint: "second"}},
		{"the first code", append(hints.Coded(cli.ExitRefused), Row{Fits: isOther, Code: cli.ExitKey}), other, cli.Advice{Code: cli.ExitRefused, Hint: "second"}},
		{"an empty hint is none", append(Table{Any("", one)}, hints...), one, cli.Advice{Code: cli.ExitFailed, Hint: "first"}},
		{"a type", Table{Code[*fs.PathError](cli.ExitKey), About(func(e *fs.PathError) string { return "see " + e.Path })}, &fs.PathError{Path: "p", Err: one}, cli.Advice{Code: cli.ExitKey, Hint: "see p"}},
		{"in a type", In[*fs.PathError](Any("in", one)), &fs.PathError{Err: one}, cli.Advice{Code: cli.ExitFailed, Hint: "in"}},
		{"not in the type", In[*fs.PathError](Any("in", one)), one, cli.Advice{Code: cli.ExitFailed}},
		{"in the type, another", In[*fs.PathError](Any("in", one)), &fs.PathError{Err: other}, cli.Advice{Code: cli.ExitFailed}},
		{"such", Table{CodeWhere(cli.ExitKey, func(e *fs.PathError) bool { return e.Path == "p" })}, &fs.PathError{Path: "p", Err: one}, cli.Advice{Code: cli.ExitKey}},
		{"not such", Table{CodeWhere(cli.ExitKey, func(e *fs.PathError) bool { return e.Path == "p" })}, &fs.PathError{Path: "q", Err: one}, cli.Advice{Code: cli.ExitFailed}},
	} {
		if got := tt.table.Of(tt.err); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if hints.Fits(errors.New("new")) || !hints.Fits(other) {
		t.Error("Fits")
	}
}
