package hostadvice

import (
	"slices"

	"kedge/internal/advice"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/role"
	"kedge/internal/settings"
)

// usage is about a command line, or a configuration, that cannot be carried out. How to exit is not asked
// here, nor is there a word about the help: cli says that.
func usage() advice.Table {
	files := advice.In[*cli.UsageError](advice.Unreadable()...)
	return slices.Concat(advice.Table{
		advice.About(func(e *settings.UnsafeError) string {
			return "it says which programs to run and whom to trust: it must belong to root or the user of this process, who alone may write to it; run: chmod go-w " + e.File
		}),
		advice.About(func(e *role.ARNError) string { return "it looks like " + e.Example }),
		advice.About(func(e *config.ProxyVariableError) string {
			return "correct " + e.Variable + `, or give --proxy URL, or "--proxy none" to use none`
		}),
		advice.About(func(e *settings.FileError) string {
			return "correct " + e.File + `; "kedge config check" reads all of it`
		}),
	}, files, advice.Table{advice.About(func(e *config.FlagError) string { return takes(e.Flag) })})
}
