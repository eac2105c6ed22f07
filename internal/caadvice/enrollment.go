package caadvice

import (
	"fmt"

	"kedge/ca/ledger"
	"kedge/internal/advice"
	"kedge/internal/localca"
)

// enrollment is about the names of hosts and servers, and the tokens for them.
func enrollment() advice.Table {
	return advice.Table{
		advice.About(func(e *ledger.TokenError) string {
			switch {
			case e.Approval && e.Why == ledger.TokenSpent:
				return "to take the certificate back: kedge-ca revoke NAME, or kedge-ca decommission NAME"
			case e.Approval:
				return "see what became of the requests: kedge-ca pending --all"
			}
			return "see which tokens there are, and what became of the others: kedge-ca token list --all"
		}),
		advice.Kind[*ledger.RequestIDError]("give more of the ID that the host shows; kedge-ca pending lists those that wait"),
		advice.Kind[*ledger.TooManyRequestsError]("decide on those that wait: kedge-ca pending"),
		advice.Kind[*ledger.HeldError]("if the host lost its key, give the name to a new one: kedge-ca token NAME --replace, or approve ID --replace; if the host is gone: kedge-ca decommission NAME"),
		advice.Kind[*ledger.DeniedError]("allow them again: kedge-ca deny-renew NAME --undo"),
		advice.Kind[*ledger.NotClonedError]("kedge-ca hosts shows which hosts are copied"),
		advice.About(func(e *ledger.ChoiceError) string {
			if e.Keys > 1 {
				return "give the right host a new key: kedge-ca token NAME --replace, then kedge enroll --force there"
			}
			return "kedge-ca hosts --json shows which certificates the two hosts have"
		}),
		advice.Kind[*ledger.FreeError]("the name is free: kedge-ca token NAME gives it to a host"),
		advice.Kind[*ledger.GraceError]("let the host enroll again: kedge-ca token NAME --replace"),
		advice.About(func(e *ledger.ReservedNameError) string {
			if e.Server {
				return "give the server another name, or issue the host's certificate without this one and revoke the old one"
			}
			return "leave the name out: hosts know the server by it"
		}),
		advice.About(func(e *localca.NoServerError) string {
			return `give the URL of "kedge-ca serve" with --url https://HOST:8443, or write it for both: ` + urlLine(e.File)
		}),
		advice.Kind[*localca.NoProofError]("add token to enroll.proofs of the profile in the configuration, or choose another with --profile"),
		advice.About(func(e *localca.ServerFileError) string {
			if e.Exists {
				return "replace it with --replace, if an earlier server-cert has written it"
			}
			return "give the file of an earlier server-cert, or another one, with --out"
		}),
	}
}

// urlLine returns the hint with the line that gives a configuration the URL of the server.
func urlLine(file string) string {
	return fmt.Sprintf(`in %s, the line server: {url: "https://HOST:8443"} or, if there is one that begins with server:, the line "  url: https://HOST:8443" below it`, file)
}
