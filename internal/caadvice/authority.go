package caadvice

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/advice"
	"kedge/internal/cadir"
	"kedge/internal/caserver"
	"kedge/internal/cli"
	"kedge/internal/localca"
)

// authority is about roots, what is below them, and how they change.
func authority() advice.Table {
	return advice.Table{
		advice.About(anchorSize),
		advice.About(func(e *issuance.AmbiguousError) string { return oneOf("authorities below it", e.Names) }),
		advice.About(func(e *localca.UnlistedError) string {
			return fmt.Sprintf("no list was written; where keys have passwords of their own, make the lists one by one: kedge-ca crl --issuer %s", e.Authority)
		}),
		advice.Kind[*ca.PathLengthError]("name another CA with --parent; one that is to have CAs below it is made with --path-length 1 or more, or -1 for no limit"),
		advice.Kind[*ca.CRLSignError]("a root gets it with \"kedge-ca renew --authority NAME\", and the renewed root is to be registered; an intermediate from the CA above it"),
		advice.Kind[*issuance.RotationError]("kedge-ca rotate status shows where the CA stands"),
		advice.Kind[*issuance.RevokedAuthorityError]("make another authority with \"kedge-ca intermediate NAME\", or name one that is not revoked with --issuer, or for rotate switch with --to"),
		advice.Kind[*issuance.RetiredError]("leave --issuer and --parent out, or name an authority below the root that is in use"),
		advice.Kind[*issuance.UnknownRootError]("begin a rotation to it: kedge-ca rotate start --root FILE"),
	}
}

// server is about kedge-ca serve.
func server() advice.Table {
	return advice.Table{
		advice.Kind[*caserver.NoURLError]("say it with --url https://HOST:PORT, or write it for kedge-ca token as well: " + urlLine("kedge-ca.yaml, beside ca.pem")),
		{Fits: func(err error) bool { return is[*caserver.ListenError](err) && errors.Is(err, syscall.EADDRINUSE) }, Hint: func(error) string {
			return "another program listens there, perhaps another kedge-ca serve: end it, or choose another address with --listen or --http"
		}},
		{Fits: func(err error) bool { return is[*caserver.ListenError](err) && errors.Is(err, fs.ErrPermission) }, Hint: func(error) string {
			return "ports below 1024 need a right: choose a higher one with --listen or --http, or let systemd open the socket"
		}},
		advice.Kind[*caserver.ListenError]("choose an address of this machine with --listen or --http, such as 127.0.0.1:8443, or :8443 for all of them"),
	}
}

func anchorSize(e *issuance.AnchorSizeError) string {
	if n := len(e.Names); n > 1 {
		return fmt.Sprintf("register the new root as a trust anchor of its own: kedge-ca bundle --authority %s", e.Names[n-1])
	}
	return "register an intermediate with a smaller key as the trust anchor: kedge-ca bundle --authority NAME"
}

// usable is about keys and certificates of the CA.
func usable() advice.Table {
	return append(advice.Passwords("give the password with --key-password-from PATH, env:NAME or fd:N", cli.ErrNoTerminal),
		advice.Kind[*ca.ValidityError]("check this host's clock; if it is right, make a CA in another folder with --dir, and register it as a trust anchor"),
		advice.Any(keyElsewhere, issuance.ErrNoKeys),
		advice.About(func(e *cadir.UnusableError) string {
			switch {
			case e.NoKey:
				return keyElsewhere
			case e.Absent:
				return `name the folder of the CA with --dir ("--dir ." in that folder itself), or make a new CA with "kedge-ca init"`
			}
			return ""
		}),
		advice.About(func(e *localca.OccupiedError) string {
			return "keep what is there: kedge-ca status --dir " + e.Folder + " shows the CA; give another one a folder of its own with --dir"
		}),
		advice.About(func(e *localca.InterruptedError) string {
			return "if nothing was ever issued with it, move " + e.Key + " and the ledger away and run init again; if it is the key of a CA, bring ca.pem and the ledger back from a backup, or ca.pem alone and run init --adopt"
		}),
	)
}

const keyElsewhere = "run it where that key is, or bring the key back from a backup; kedge-ca status shows which keys are here"
