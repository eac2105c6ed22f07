package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// needsText is the annotation of the flags of RefuseEmpty.
const needsText = "kedge-needs-text"

// RefuseEmpty marks flags that are refused if they are given empty, as by a variable of the shell that is not set:
// without their value the command would do something else than was meant. Flags whose help names their value
// `FILE`, `FOLDER`, `PATH` or `REF`, which is where a file is, are refused without it.
func RefuseEmpty(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		_ = flags.SetAnnotation(name, needsText, nil) // it exists
	}
}

// CheckEmpty reports a flag that was given empty, and needs a text.
func CheckEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if _, marked := f.Annotations[needsText]; (marked || namesFile(f)) && hasEmpty(f.Value) {
			err = fmt.Errorf("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// namesFile reports whether the value of a flag is a file or folder, by its name in the help.
func namesFile(f *pflag.Flag) bool {
	_, value, _ := strings.Cut(f.Usage, "`")
	value, _, _ = strings.Cut(value, "`")
	switch strings.ToUpper(value) {
	case "FILE", "FOLDER", "PATH", "REF":
		return true
	}
	return false
}

// hasEmpty reports whether a value, or one of several, is empty.
func hasEmpty(v pflag.Value) bool {
	if list, ok := v.(pflag.SliceValue); ok {
		values := list.GetSlice()
		return len(values) == 0 || slices.Contains(values, "")
	}
	return v.String() == ""
}

// checkFlags reports in words of this program which flags are missing, empty, or cannot go together. cobra
// checks most of that after PreRunE, with errors that look like any other.
func checkFlags(c *cobra.Command) error {
	if err := CheckEmpty(c.Flags()); err != nil {
		return err
	}
	if err := c.ValidateRequiredFlags(); err != nil {
		return err
	}
	err := c.ValidateFlagGroups()
	if err == nil {
		return nil
	}
	// cobra has no error types: "if any flags in the group [a b] are set …; [a b] were all set" or
	// "…; missing [b]".
	before, after, _ := strings.Cut(err.Error(), "; ")
	if set, ok := strings.CutSuffix(after, " were all set"); ok {
		return fmt.Errorf("%s exclude each other", flagList(set))
	}
	if missing, ok := strings.CutPrefix(after, "missing "); ok {
		_, group, _ := strings.Cut(before, "[")
		group, _, _ = strings.Cut(group, "]")
		return fmt.Errorf("%s go together: %s is missing", flagList(group), flagList(missing))
	}
	return err
}

// flagList makes "--a, --b and --c" of "[a b c]".
func flagList(names string) string {
	var flags []string
	for _, name := range strings.Fields(strings.Trim(names, "[]")) {
		flags = append(flags, "--"+name)
	}
	if n := len(flags) - 1; n > 0 {
		return strings.Join(flags[:n], ", ") + " and " + flags[n]
	}
	return strings.Join(flags, "")
}
