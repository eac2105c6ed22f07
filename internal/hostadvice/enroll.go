package hostadvice

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"

	"kedge/internal/advice"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/units"
)

// enrollment is about the server of a CA, and the folder of an enrolled host.
func enrollment() advice.Table {
	return advice.Table{
		advice.Code[*enrollapi.TokenTextError](cli.ExitUsage),
		advice.CodeWhere(cli.ExitRefused, func(e *enrollapi.Error) bool { return !e.Temporary() }),
		advice.Kind[*enrollapi.TokenTextError](`copy the whole line that "kedge-ca token" printed, from kedge1_ on`),
		advice.About(refusal),
		advice.About(untrustedServer),
		advice.About(unreachable),
		advice.About(func(e *enrollclient.AnswerError) string {
			if e.Status >= http.StatusInternalServerError {
				return "a proxy answered, and the server behind it did not: try again later; nothing was changed"
			}
			return "a proxy, or a server of another version, answered: ask the operator of the CA; nothing was changed"
		}),
		advice.About(func(e *enrollclient.NameTakenError) string {
			return "remove that one with kedge unenroll --dir " + e.Dir + ", or replace it: run the same command with --force"
		}),
		advice.About(func(e *enrollclient.UnmadeError) string {
			hint := "name a folder with --dir where this user may make one"
			if access := config.DescribeAccess(filepath.Dir(e.Err.Path)); access != "" && errors.Is(e, fs.ErrPermission) {
				hint = access + "; " + hint
			}
			return hint
		}),
		advice.Kind[*units.UnavailableError]("enroll without --systemd, and renew by cron: */5 * * * * kedge renew --all --quiet"),
		advice.About(func(e *units.GroupError) string {
			return fmt.Sprintf("add it, with usermod -aG %s %s, and run the same command again; or give --key-group %s, and add the users that read the key to that group, which alone reaches %s", e.Group, units.User, units.User, units.StateDir)
		}),
		advice.Kind[*units.CommandError]("correct the cause that it names, and run the same command again: what is done already stays"),
		advice.About(func(e *enrollclient.WaitingError) string {
			return "have the operator of the CA compare the request and approve it: kedge-ca approve " + e.ID[:min(len(e.ID), approvedBy)] + "; then run the same command again: it goes on with the same key"
		}),
		advice.Kind[*enrollclient.NameError]("name a folder with --dir"),
		advice.About(func(e *enrollclient.RemovingError) string { return "finish that: kedge unenroll --dir " + e.Dir }),
		{Fits: is[*enrollclient.EndedError], Code: cli.ExitRefused, Hint: func(error) string { return enrollAnew }},
		advice.Kind[*enrollclient.HookError]("the next kedge renew with the same --exec runs it again, and those that succeeded not"),
		advice.Kind[*hostdir.NotEnrolledError](`enroll this host with a token: "kedge-ca token NAME" prints it; or name another folder with --dir`),
		advice.About(folder),
	}
}

// approvedBy is how many characters of the ID of a request are shown in the line that approves it.
const approvedBy = 16

// refusal is about what a server does not grant. The server may know better.
func refusal(e *enrollapi.Error) string {
	if e.Hint != "" {
		return e.Hint
	}
	switch e.Code {
	case enrollapi.BadToken, enrollapi.TokenExpired, enrollapi.TokenSpent, enrollapi.TokenRevoked:
		return `ask the operator of the CA for a new token: "kedge-ca token NAME"`
	case enrollapi.WrongNetwork:
		return "the token is for hosts in another network"
	case enrollapi.NameNotAllowed:
		return "give the name that the token is for with --name, or none"
	case enrollapi.KeyNotAllowed:
		return "choose another --key-type; a key of that type takes the place of this one"
	case enrollapi.Held:
		return `another key has the name: if this host replaces that one, the operator makes a token with "kedge-ca token NAME --replace"`
	case enrollapi.Clone:
		return "another host renewed with a copy of the key, or this one was restored from a snapshot: tell the operator of the CA, then enroll anew with --force"
	case enrollapi.RequestDenied, enrollapi.RequestOver:
		return "run the same command again: it asks with a new key, for another approval"
	case enrollapi.Clock:
		return "set the clock of this host, and see that of the server"
	case enrollapi.SlowDown, enrollapi.Overloaded, enrollapi.Unavailable, enrollapi.Internal:
		return "try again later; the same key and token are used then"
	}
	if e.Code.EndsCertificate() {
		return enrollAnew
	}
	return "ask the operator of the CA"
}

const enrollAnew = "this host has to enroll anew, with a new token and --force"

// unreachable is about a server that did not answer.
func unreachable(e *enrollclient.UnreachableError) string {
	hint := "see whether kedge-ca serve runs there, whether the network leads to it, and --proxy if there is one"
	name, unknown := errors.AsType[*net.DNSError](e)
	switch {
	case toProxy(e):
		hint = proxyAddress
	case unknown:
		hint = "the name " + name.Name + " does not resolve here: check the URL of the server, which came with the token, and the DNS servers of this host"
	case timeout(e):
		hint = "a firewall may drop the packets, or the server may be overloaded: " + hint
	}
	return hint + "; nothing is lost: run the same command again, and it goes on where this one was"
}

func untrustedServer(e *enrollclient.UntrustedError) string {
	if e.Other {
		return "the URL from the token may not be that of the server: ask the operator of the CA for a token with the URL of kedge-ca serve: kedge-ca token NAME --url URL"
	}
	if e.System {
		return "the token says that the server has a public certificate: see whether a proxy intercepts the connection, and name its CA with AWS_CA_BUNDLE"
	}
	return "the token is for another CA, or something between this host and the server intercepts the connection: ask the operator of the CA for a new token or, without a token, compare the hash with the line of kedge-ca pending"
}

func folder(e *hostdir.FolderError) string {
	switch {
	case e.Host != "":
		return "--dir " + e.Host + " is that host; choose a folder outside it for another"
	case e.Owner != "":
		return "run this as that user, such as: sudo -u " + e.Owner + " kedge renew --dir " + e.Path
	}
	return "name another folder with --dir; or see who may write to this one, and restore what is in it, or enroll this host anew with --force"
}
