package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type tokenOptions struct {
	caOptions
	names    []string
	from     string // hosts.csv
	profile  string
	terms    localca.TokenTerms
	networks []string
	forKey   string
}

// Limits of tokens.
const (
	defaultTokenLifetime = time.Hour
	maxTokenLifetime     = 366 * 24 * time.Hour
	maxTokenUses         = 100_000
)

func newToken(h host, run func(context.Context, *tokenOptions) error) *cobra.Command {
	o := &tokenOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "token <name>... | --from <hosts.csv>",
		Short: "Make tokens by which hosts enroll",
		Long: `Make a token for each name, and write it to standard output, a line for each. A host that runs
"kedge enroll" with the token gets a certificate with that name from "kedge-ca serve", whose URL is
under server: in the configuration. The token is a secret, which is shown only now: the ledger has a
hash of it. It can be used once, within an hour. The same host can use it again with the same key: if
the answer was lost, it gets the same certificate.

A name that another key holds needs --replace; that key can then renew no more. A pattern, such as
"web-*", is for names that no certificate has had; with --uses for several hosts, which needs --ttl. With
"web-{random}" the CA chooses the end of the name, and the host needs no --name.

--from takes the names from the columns name and profile of a list as of "kedge-ca issue --from".`,
		Example: `  kedge-ca token web-03
  kedge-ca token web-03 web-04 --ttl 8h --network 10.1.0.0/16
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
			o.names = args
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "`FILE` with a line for each host, or - for standard input")
	flags.StringVar(&o.profile, "profile", "", "`NAME` of the profile in the configuration; its default_profile when not given")
	flags.IntVar(&o.terms.Uses, "uses", 1, "`NUMBER` of hosts that can use a token")
	o.terms.Lifetime = defaultTokenLifetime
	flags.Var((*lifetime)(&o.terms.Lifetime), "ttl", "`TIME` in which a token can be used, such as 15m, 8h or 30d")
	flags.StringSliceVar(&o.networks, "network", nil, "`ADDRESSES` from which a token can be used, a range such as 10.1.0.0/16; may be repeated")
	flags.StringVar(&o.forKey, "for-key", "", "SHA-256 `HASH` of the only public key, as SubjectPublicKeyInfo, that can use the token")
	flags.BoolVar(&o.terms.Replace, "replace", false, "give the name to another key: the one that holds it can renew no more")
	flags.StringVar(&o.terms.URL, "url", "", "`URL` by which hosts reach the server; server.url of the configuration when not given")
	flags.StringVar(&o.terms.Why, "why", "", "`TEXT` for the ledger: why it is made")
	cmd.AddCommand(newTokenList(h.reader(), reading(runTokenList)), newTokenRevoke(h, changing(runTokenRevoke)))
	return cmd
}

// check checks what needs neither the ledger nor the configuration.
func (o *tokenOptions) check(cmd *cobra.Command) (err error) {
	if err := o.checkUses(cmd.Flags().Changed("ttl")); err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	if err := o.checkPatterns(); err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	if err := o.terms.CheckURL(); err != nil {
		return cli.Usagef(cmd, "--url: %w", err)
	}
	for _, text := range o.networks {
		network, err := localca.ParseNetwork(text)
		if err != nil {
			return cli.Usagef(cmd, "--network: %w", err)
		}
		o.terms.Networks = append(o.terms.Networks, network)
	}
	if o.forKey == "" {
		return nil
	}
	if o.terms.ForKey, err = localca.ParseKeyHash(o.forKey); err != nil {
		return cli.Usagef(cmd, "--for-key: %w", err)
	}
	return nil
}

// checkUses checks how often, how long and for what a token can be used.
func (o *tokenOptions) checkUses(ttlGiven bool) error {
	t := &o.terms
	one := o.from == "" && len(o.names) == 1 && t.Uses == 1
	switch {
	case t.Uses < 1 || t.Uses > maxTokenUses:
		return fmt.Errorf("--uses: %d is not between 1 and %d", t.Uses, maxTokenUses)
	case t.Lifetime <= 0 || t.Lifetime > maxTokenLifetime:
		return fmt.Errorf("--ttl: %v is not a time up to %v", ca.Duration(t.Lifetime), ca.Duration(maxTokenLifetime))
	case t.Uses > 1 && !ttlGiven:
		return errors.New("--uses: a token for several hosts needs --ttl")
	case t.Replace && !one:
		return errors.New("--replace: is for one name and one use")
	case o.forKey != "" && !one:
		return errors.New("--for-key: is for one name and one use")
	}
	return nil
}

// checkPatterns checks which names may, and must, be patterns.
func (o *tokenOptions) checkPatterns() error {
	if o.from != "" && o.terms.Uses > 1 {
		return errors.New("--uses: the names in a list are for one host each")
	}
	for _, name := range o.names {
		host := localca.TokenFor{Name: name}
		if err := host.CheckPattern(); err != nil {
			return err
		}
		switch pattern := host.IsPattern(); {
		case o.terms.Uses > 1 && !pattern:
			return fmt.Errorf("--uses: several hosts cannot have one name, %q; give a pattern, such as 'web-*'", name)
		case o.terms.Replace && pattern:
			return fmt.Errorf("--replace: %q is a pattern, for names that no certificate has had", name)
		}
	}
	return nil
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
	if err != nil {
		return err
	}
	return o.report(made)
}

// hosts returns the names of the command line, or those of the list.
func (o *tokenOptions) hosts() ([]localca.TokenFor, error) {
	var hosts []localca.TokenFor
	for _, name := range o.names {
		hosts = append(hosts, localca.TokenFor{Name: name, Profile: o.profile})
	}
	if o.from == "" {
		return hosts, nil
	}
	rows, err := o.readHosts(o.from)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		hosts = append(hosts, localca.TokenFor{Name: row.Name, Profile: cmp.Or(row.Profile, o.profile)})
	}
	return hosts, nil
}

// report writes the tokens, and what to do with them. The line to run has the token only on a
// terminal: otherwise standard error may end up in a log.
func (o *tokenOptions) report(made []localca.NewToken) error {
	var lines strings.Builder
	document := tokensMade{Tokens: []tokenMade{}}
	for i, t := range made {
		fmt.Fprintln(&lines, t.String())
		described := certinfo.TokenOf(t.Record, t.Record.At)
		document.Tokens = append(document.Tokens, tokenMade{described, t.String(), t.URL})
		if i < maxNamed {
			o.say("made " + described.InWords())
		}
	}
	if n := len(made) - maxNamed; n > 0 {
		o.say(fmt.Sprintf("made %d more", n))
	}
	if o.output.json {
		return report.WriteJSON(o.Out, document)
	}
	line := "kedge enroll --token-file FILE"
	if len(made) == 1 && made[0].Record.Uses == 1 && cli.IsTerminal(o.Out) && cli.IsTerminal(o.Err) {
		line = "kedge enroll " + made[0].String()
	}
	o.say("run on the host: " + line)
	return report.Write(o.Out, []byte(lines.String()))
}

// tokensMade is the JSON document of token.
type tokensMade struct {
	Tokens []tokenMade `json:"tokens"`
}

type tokenMade struct {
	certinfo.Token
	Text string `json:"token"`
	URL  string `json:"url"`
}
