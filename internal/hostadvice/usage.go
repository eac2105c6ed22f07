package hostadvice

import (
	"slices"

	"kedge/internal/advice"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/role"
	"kedge/internal/settings"
)

// usage returns the rows for a command line, or a configuration, that cannot be carried out. They have no exit
// code, and their hints do not name --help: package cli adds both.
func usage() advice.Table {
	files := advice.In[*cli.UsageError](advice.Unreadable()...)
	return slices.Concat(advice.Table{
		advice.About(func(e *settings.UnsafeError) string {
			return "it says which programs to run and whom to trust: it must belong to root or the user of this process, who alone may write to it; run: chmod go-w " + e.File
		}),
		advice.About(func(e *role.ARNError) string { return "it looks like " + e.Example }),
		advice.About(func(e *role.MissingError) string {
			if !slices.Contains(e.Flags, "certificate") {
				return ""
			}
			return `name certificate and key with --certificate and --private-key, or in a configuration file; an enrolled host has them as current/leaf.pem and current/leaf.key in the folder that "kedge renew --status" prints`
		}),
		advice.About(func(e *config.ProxyVariableError) string {
			return "correct " + e.Variable + `, or give --proxy URL, or "--proxy none" to use none`
		}),
		advice.About(func(e *settings.FileError) string {
			return "correct " + e.File + `; "kedge config check" reads all of it`
		}),
	}, files, advice.Table{advice.About(func(e *config.FlagError) string { return takes(e.Flag) })})
}
