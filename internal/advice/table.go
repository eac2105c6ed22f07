// Package advice maps errors to exit codes and hints: a table of rows of {match, exit code, hint}.
// Each program has one table; the rows that all of them need, about keys in hardware, files and passwords,
// are here.
//
// The exit code and the hint of an error are looked up apart, so that no text decides how a program
// exits. Tables are made when there is an error: a run without one pays nothing for them. What makes a
// row is not inlined: at a hundred places that would be 12 kB of kedge.
package advice

import (
	"errors"

	"kedge/internal/cli"
)

// Row is about one kind of error.
type Row struct {
	Fits func(err error) bool
	Code int                    // to exit with; 0: this row does not decide that
	Hint func(err error) string // what to do next; nil or empty: this row does not say that
}

// Table is a list of rows. Earlier rows come first, for the code and for the hint.
type Table []Row

// Of returns the code of the first row that fits an error and has one, else cli.ExitFailed, and the
// hint of the first row that fits and has one.
func (t Table) Of(err error) cli.Advice {
	var found cli.Advice
	for _, row := range t {
		if found.Code != 0 && found.Hint != "" {
			break
		}
		if !row.Fits(err) {
			continue
		}
		if found.Code == 0 {
			found.Code = row.Code
		}
		if found.Hint == "" && row.Hint != nil {
			found.Hint = row.Hint(err)
		}
	}
	if found.Code == 0 {
		found.Code = cli.ExitFailed
	}
	return found
}

// Fits reports whether any row fits an error.
func (t Table) Fits(err error) bool {
	for _, row := range t {
		if row.Fits(err) {
			return true
		}
	}
	return false
}

// Coded returns the rows with a code for those that have none.
func (t Table) Coded(code int) Table {
	coded := make(Table, 0, len(t))
	for _, row := range t {
		if row.Code == 0 {
			row.Code = code
		}
		coded = append(coded, row)
	}
	return coded
}

// Code is a row for errors of one type, which alone decides how to exit.
//
//go:noinline
func Code[T error](code int) Row { return Row{Fits: is[T], Code: code} }

// Kind is a row for errors of one type, with one hint.
//
//go:noinline
func Kind[T error](hint string) Row {
	return Row{Fits: is[T], Hint: func(error) string { return hint }}
}

// About is a row for errors of one type, with a hint that depends on the error.
//
//go:noinline
func About[T error](hint func(T) string) Row {
	return Row{Fits: is[T], Hint: func(err error) string {
		e, _ := errors.AsType[T](err)
		return hint(e)
	}}
}

// Any is a row for errors that are one of some others, with one hint.
//
//go:noinline
func Any(hint string, targets ...error) Row {
	return When(func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}, hint)
}

// When is a row for errors that fit, with one hint.
//
//go:noinline
func When(fits func(err error) bool, hint string) Row {
	return Row{Fits: fits, Hint: func(error) string { return hint }}
}

// In is the rows for what errors of one type wrap: no other error fits them.
func In[T error](rows ...Row) Table { return If(is[T], rows...) }

// If is the rows for errors that fit something else as well.
func If(fits func(err error) bool, rows ...Row) Table {
	within := make(Table, 0, len(rows))
	for _, row := range rows {
		other := row.Fits
		row.Fits = func(err error) bool { return fits(err) && other(err) }
		within = append(within, row)
	}
	return within
}

// CodeWhere is a row for errors of one type that are such, which alone decides how to exit.
//
//go:noinline
func CodeWhere[T error](code int, such func(T) bool) Row {
	return Row{Code: code, Fits: func(err error) bool {
		e, ok := errors.AsType[T](err)
		return ok && such(e)
	}}
}

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
