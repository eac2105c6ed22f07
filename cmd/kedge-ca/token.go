package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type tokenOptions struct {
	caOptions
	from    string // hosts.csv
	request localca.TokenRequest
	terms   localca.TokenTerms
}

func newToken(h host, run func(context.Context, *tokenOptions) error) *cobra.Command {
	o := &tokenOptions{caOptions: caOptions{host: h}, request: localca.TokenRequest{Lifetime: localca.DefaultTokenLifetime}}
	cmd := &cobra.Command{
		Use:   "token <name>... | --from <hosts.csv>",
		Short: "Make tokens by which hosts enroll",
		Long: `Make a token for each name, and write it to standard output. For one name that is the token alone; for
several, and with --from, there is a line for each: the name, a tab and the token. A host that runs
"kedge enroll" with the token gets a certificate with that name from "kedge-ca serve", whose URL is
under server: in the configuration. The token is a secret, which is shown only now: the ledger has a
hash of it. It can be used once, within an hour. The same host can use it again with the same key: if
the answer was lost, it gets the same certificate.

A name that another key holds needs --replace; that key can then renew no more. A pattern, such as
"web-*", is for names that no certificate has had; with --uses for several hosts, which needs --ttl. With
"web-{random}" the CA chooses the end of the name, and the host needs no --name.

--from takes the names from the columns name and profile of a list as of "kedge-ca issue --from". They are
recorded 5000 at a time: if one cannot be, the tokens of the 5000s before are written, and the error names
the first host without one.`,
		Example: `  kedge-ca token web-03
  kedge-ca token web-03 web-04 --ttl 8h --network 10.1.0.0/16
  (umask 077; kedge-ca token --from hosts.csv | while IFS="$(printf '\t')" read -r name token; do echo "$token" > "$name.token"; done)
  kedge-ca token 'batch-*' --uses 50 --ttl 2h
  kedge-ca token 'batch-{random}' --uses 50 --ttl 2h
  kedge-ca token web-01 --replace --why "new disk"`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && o.from == "":
				return errors.New("give the name of a host: kedge-ca token NAME")
			case len(args) > 0 && o.from != "":
				return errors.New("--from: the names are in the file; give none beside it")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.request.Names, o.request.ByDefault = args, !cmd.Flags().Changed("ttl")
			var err error
			if o.terms, err = o.request.Terms(); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "`FILE` with a line for each host, or - for standard input")
	flags.StringVar(&o.request.Profile, "profile", "", "`NAME` of the profile in the configuration; its default_profile when not given")
	flags.IntVar(&o.request.Uses, "uses", 1, "`NUMBER` of hosts that can use a token")
	flags.Var((*lifetime)(&o.request.Lifetime), "ttl", "`TIME` in which a token can be used, such as 15m, 8h or 30d")
	flags.Var(cli.LimitList(&o.request.Networks), "network", "`ADDRESSES` from which a token can be used, a range such as 10.1.0.0/16; may be repeated")
	flags.StringVar(&o.request.ForKey, "for-key", "", "SHA-256 `HASH` of the only public key, as SubjectPublicKeyInfo, that can use the token")
	flags.BoolVar(&o.request.Replace, "replace", false, "give the name to another key: the one that holds it can renew no more")
	flags.StringVar(&o.request.URL, "url", "", "`URL` by which hosts reach the server; server.url of the configuration when not given")
	flags.StringVar(&o.request.Why, "why", "", "`TEXT` for the ledger: why it is made")
	cmd.AddCommand(newTokenList(h.reader(), reading(runTokenList)), newTokenRevoke(h, changing(runTokenRevoke)))
	return cmd
}

func runToken(ctx context.Context, o *tokenOptions) (err error) {
	hosts, err := o.hosts()
	if err != nil {
		return err
	}
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	made, err := s.MakeTokens(ctx, hosts, o.terms)
	if len(made) > 0 { // after an error some may be recorded, which nothing shows later
		return errors.Join(o.report(made), err)
	}
	if err != nil && o.from != "" {
		return fmt.Errorf("%w; no token was made", err)
	}
	return err
}

// hosts returns the names of the command line, or those of the list.
func (o *tokenOptions) hosts() (hosts []localca.TokenFor, err error) {
	for _, name := range o.request.Names {
		hosts = append(hosts, localca.TokenFor{Name: name})
	}
	if o.from == "" {
		return hosts, nil
	}
	rows, err := o.readHosts(o.from)
	for _, row := range rows {
		hosts = append(hosts, localca.TokenFor{Name: row.Name, Profile: row.Profile, Where: row.Where()})
	}
	return hosts, err
}

// report writes the tokens, and what to do with them. The line to run has the token only on a
// terminal: otherwise standard error may end up in a log.
func (o *tokenOptions) report(made []localca.NewToken) error {
	all := certinfo.MadeTokens{Tokens: []certinfo.MadeToken{}}
	for _, t := range made {
		all.Tokens = append(all.Tokens, certinfo.MadeToken{Token: certinfo.TokenOf(t.Record, t.Record.At), Text: t.String(), URL: t.URL})
	}
	o.note(all.Notes())
	if o.output.json {
		return report.WriteJSON(o.Out, all)
	}
	line := "kedge enroll --token-file FILE"
	if len(made) == 1 && made[0].Record.Uses == 1 && cli.IsTerminal(o.Out) && cli.IsTerminal(o.Err) {
		line = "kedge enroll " + made[0].String()
	}
	o.say("run on the host: " + line)
	if o.from == "" && len(o.request.Names) == 1 {
		return report.Write(o.Out, []byte(made[0].String()+"\n"))
	}
	return report.Write(o.Out, all.Lines())
}
