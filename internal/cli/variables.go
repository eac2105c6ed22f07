package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Variable is an environment variable that stands for a flag which is not on the command line.
type Variable struct {
	Name  string // such as KEDGE_CA_DIR; empty where the flag has none
	Value string // empty is like no variable
}

// variableOf is the annotation of a flag whose value comes from a variable.
const variableOf = "kedge-variable"

// exclusive is the annotation of flags that exclude each other; cobra has no name for it.
const exclusive = "cobra_annotation_mutually_exclusive"

// UseVariables has all commands fill in the flags that are not given from the variables that of says
// stand for them, and list those in their help. A program that does not call this does
// not link it.
func UseVariables(of func(flag string) Variable) func(root *cobra.Command) {
	return func(root *cobra.Command) {
		useVariables(root, of)
		listVariables(root, of)
	}
}

// fillFlags sets the flags of a command that are not on its command line from variables. Lists have
// commas between their values. A flag of the command line comes before the variable of one that it
// excludes.
func fillFlags(c *cobra.Command, of func(flag string) Variable) error {
	var given, fill []*pflag.Flag
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		switch {
		case flag.Changed:
			given = append(given, flag)
		case of(flag.Name).Value != "":
			fill = append(fill, flag)
		}
	})
	for _, flag := range fill {
		v := of(flag.Name)
		if v.Name == "" || slices.ContainsFunc(given, func(other *pflag.Flag) bool { return exclude(flag, other) }) {
			continue
		}
		if err := setFlag(flag, v.Value); err != nil {
			return Usagef(c, "%s: %w", v.Name, err)
		}
		flag.Changed = true
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[variableOf] = []string{v.Name}
	}
	return nil
}

// exclude reports whether two flags are in one of cobra's groups of exclusive flags.
func exclude(a, b *pflag.Flag) bool {
	return slices.ContainsFunc(a.Annotations[exclusive], func(group string) bool {
		return slices.Contains(b.Annotations[exclusive], group)
	})
}

func setFlag(flag *pflag.Flag, value string) error {
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return list.Replace(strings.Split(value, ","))
	}
	err := flag.Value.Set(value)
	switch kind := flag.Value.Type(); {
	case err == nil:
		return nil
	case kind == "bool":
		return fmt.Errorf("must be true or false, not %q", value)
	case kind == "int":
		return fmt.Errorf("%q is not a whole number", value)
	case kind == "duration" && strings.HasPrefix(err.Error(), "time: "):
		return fmt.Errorf("%q is not a duration such as 5s, 10m or 24h", value)
	}
	return err
}

// nameVariables puts before a usage error which variables stand for the flags in it: nobody looks
// for a flag that is not typed.
func nameVariables(c *cobra.Command, err error) error {
	usage, ok := err.(*UsageError) //nolint:errorlint // one that is wrapped is somebody else's
	if !ok {
		return err
	}
	var names []string
	for _, word := range regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(usage.Error(), -1) {
		if flag := c.Flags().Lookup(strings.TrimPrefix(word, "--")); flag != nil {
			names = append(names, flag.Annotations[variableOf]...)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return err
	}
	return &UsageError{Command: usage.Command, Hint: usage.Hint, Err: fmt.Errorf("%s: %w", strings.Join(names, ", "), usage.Err)}
}

// useVariables has a command fill in its flags, and name the variables in its usage errors.
func useVariables(c *cobra.Command, of func(flag string) Variable) {
	check, run := c.PreRunE, c.RunE
	for _, sub := range c.Commands() {
		useVariables(sub, of)
	}
	if run == nil { // one of cobra's own
		return
	}
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if err := fillFlags(c, of); err != nil {
			return err
		}
		return nameVariables(c, check(c, args))
	}
	c.RunE = func(c *cobra.Command, args []string) error { return nameVariables(c, run(c, args)) }
}

// listVariables adds the variables of a command's flags to its help.
func listVariables(root *cobra.Command, of func(flag string) Variable) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		help(c, args)
		var names []string
		c.Flags().VisitAll(func(flag *pflag.Flag) {
			if v := of(flag.Name); v.Name != "" && !flag.Hidden {
				names = append(names, "  "+v.Name+"\n")
			}
		})
		if len(names) > 0 {
			fmt.Fprintf(c.OutOrStdout(), "\nVariables, for the flags that are not given:\n%s", strings.Join(names, ""))
		}
	})
}
