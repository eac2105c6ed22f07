package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostfiles"
	"kedge/internal/keys"
	"kedge/internal/pkcs8"
)

// leafKeyFlags are the flags for keys of leaves.
type leafKeyFlags struct {
	kind, form string
	formGiven  bool
}

func (f *leafKeyFlags) add(cmd *cobra.Command) {
	cli.AddKeyType(cmd.Flags(), &f.kind, "", "; the first that the profile lists, or P-256, when not given")
	cmd.Flags().StringVar(&f.form, "mldsa-form", "seed", "`FORM` in which an ML-DSA key is written: seed, expanded or both")
}

// check refuses unknown types and forms, and a form for a type that has only one.
func (f *leafKeyFlags) check(cmd *cobra.Command) error {
	kind, err := parseKeyKind(cmp.Or(f.kind, defaultKeyType), f.form)
	if err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	f.formGiven = cmd.Flags().Changed("mldsa-form")
	if f.kind != "" && f.formGiven && !kind.IsMLDSA() {
		return cli.Usagef(cmd, "--mldsa-form: %w", oneForm(f.kind))
	}
	return nil
}

const defaultKeyType = "P-256"

// generate returns the function that generates keys for certificates of a profile: of the requested
// kind, or of the first that the profile allows.
func (f *leafKeyFlags) generate(p *ca.Profile) (hostfiles.Generate, error) {
	name := f.kind
	if types := p.KeyTypes(); name == "" && len(types) > 0 {
		name = types[0]
	}
	name = cmp.Or(name, defaultKeyType)
	kind, err := parseKeyKind(name, f.form)
	if err == nil && f.formGiven && !kind.IsMLDSA() {
		err = &config.FlagError{Flag: "mldsa-form", Err: oneForm(name)}
	}
	return kind.Generate, err
}

func oneForm(kind string) error {
	return fmt.Errorf("a key of type %s has one form only; ML-DSA has several", kind)
}

// keyKind is a checked --key-type and --mldsa-form.
type keyKind = keys.Recipe

func parseKeyKind(kind, form string) (keyKind, error) {
	k, err := keys.ParseKind(kind)
	if err != nil {
		return keyKind{}, fmt.Errorf("--key-type: %w", err)
	}
	f, err := pkcs8.ParseMLDSAForm(form)
	if err != nil {
		return keyKind{}, fmt.Errorf("--mldsa-form: %w", err)
	}
	return keyKind{Kind: k, Form: f}, nil
}
