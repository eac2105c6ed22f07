// Package hostadvice has the table of what to do about errors of the libraries that kedge is made of:
// exit codes, and hints with a flag or a command of kedge where there is one. The errors of the
// commands themselves are advised on where the commands are.
package hostadvice

import (
	"net/http"
	"slices"

	"kedge/internal/advice"
	"kedge/internal/cache"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/process"
	"kedge/internal/role"
	"kedge/internal/serve"
	"kedge/internal/trial"
	"kedge/signer/session"
)

// Table returns the rows.
func Table() advice.Table {
	return slices.Concat(codes(), enrollment(), profiles(), command(), newKey(), key(), refused(), local(), usage(), network())
}

// SeeDoctor ends the hints that can but guess. kedge doctor itself leaves it out.
const SeeDoctor = `; "kedge doctor" with the same flags checks all of that`

// codes are the rows that decide how to exit whatever the hint is.
func codes() advice.Table {
	ended := func(code int) func(*trial.Error) bool { return func(e *trial.Error) bool { return e.Exit() == code } }
	return advice.Table{
		advice.CodeWhere(cli.ExitUsage, ended(cli.ExitUsage)), // a run of kedge, where it means more than a failure
		advice.CodeWhere(cli.ExitRefused, ended(cli.ExitRefused)),
		advice.CodeWhere(cli.ExitKey, ended(cli.ExitKey)),
		advice.Code[*trial.Error](cli.ExitFailed),
		advice.CodeWhere(process.CodeNotFound, func(e *process.StartError) bool { return e.Code() == process.CodeNotFound }),
		advice.CodeWhere(process.CodeNotExecutable, func(e *process.StartError) bool { return e.Code() == process.CodeNotExecutable }),
		advice.Code[*keys.UnwrittenError](cli.ExitFailed), // the key is as it should be
		advice.Code[*role.KeyError](cli.ExitKey),
		advice.CodeWhere(cli.ExitRefused, isRefusal),
	}
}

// isRefusal reports whether an answer is a refusal, and no fault of the service.
func isRefusal(e *session.APIError) bool { return e.Status < http.StatusInternalServerError }

// local is about what this machine lacks.
func local() advice.Table {
	table := advice.Table{
		advice.Kind[*serve.ForeignTokenError]("give --token-file a new file, or remove this one if nobody needs it"),
		advice.Kind[*serve.TokenFileError]("name a file in a folder that only this user can write, with --token-file"),
		advice.Kind[*serve.HopLimitError]("let the process set the options IP_TTL and IPV6_UNICAST_HOPS of its sockets: there is no flag to serve without the limit"),
		advice.About(func(e *cache.FolderError) string {
			return "name another folder with --cache, or have this one owned by the user of this process with mode 0700: " + e.Dir
		}),
	}
	table = append(table, advice.In[*config.BundleError](advice.Unreadable()...)...)
	return append(table, advice.About(func(e *config.BundleError) string {
		return e.Setting + " must name a PEM file with the certificates of the CAs to trust"
	}))
}
