package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/awscrl"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/localca"
)

type awsCRLPushOptions struct {
	caOptions
	request localca.PushRequest
	take    bool
	why     string
}

func newAWSCRLPush(h host, run func(context.Context, *awsCRLPushOptions) error) *cobra.Command {
	o := &awsCRLPushOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "push",
		Short: "Push the current lists of revoked certificates to IAM Roles Anywhere",
		Long: `Push the current list of each authority, as kedge-ca crl or serve made it, to IAM Roles Anywhere: to the
trust anchor that holds the authority's certificate, which aws.yaml in the CA's folder has, or server: aws: in the
configuration. No key of the CA is opened. With aws: crl: push: true in the configuration, crl and serve do this
after each list that they make.

What AWS has is read first. Only a list with the tag of this CA is replaced, and only if the authority's key signed
it; otherwise one is imported, where the trust anchor has room: it takes two. Then the list is read back. Nothing
happens if AWS has the list already.

If a list at AWS has a number or revocations that the ledger lacks, as after a restore from an older backup, nothing
is overwritten: --take-list takes them into the ledger; then kedge-ca crl makes a list that has them.

The credentials are those that the AWS SDKs find, or of --aws-profile; kedge-ca aws permissions crl-push prints the
rights that they need. What was pushed is recorded in the CA's folder, for kedge-ca status.`,
		Example: `  kedge-ca aws crl push
  kedge-ca aws crl push --issuer ca --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.why != "" && !o.take {
				return cli.Usagef(cmd, "--why is for --take-list")
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	addAWS(cmd, &o.request.Account)
	flags := cmd.Flags()
	flags.StringArrayVar(&o.request.Authorities, "issuer", nil, "push the list of the authority `NAME` only; may be repeated")
	flags.BoolVar(&o.take, "take-list", false, "take what lists at AWS have and the ledger lacks into the ledger, and push nothing")
	flags.StringVar(&o.why, "why", "", "`TEXT` for the ledger, for --take-list")
	return cmd
}

func runAWSCRLPush(ctx context.Context, s *store, o *awsCRLPushOptions) error {
	if o.account != nil {
		o.account(&o.request.Account)
	}
	o.request.LeftOut = func(places []cadir.Place) {
		cli.Say(o.Err, name, "note", fmt.Sprintf("%s: no list was pushed there, since the credentials are of another account: run the same with its --aws-profile", cadir.JoinPlaces(places)))
	}
	if o.take {
		return o.takeLists(ctx, s)
	}
	all := []*awscrl.Result{}
	err := s.PushLists(ctx, o.request, func(r *awscrl.Result) {
		o.note(certinfo.PushNotes(r))
		all = append(all, r)
	})
	if err != nil {
		return err
	}
	err = o.writeJSON(struct {
		CRLs []*awscrl.Result `json:"crls"`
	}{all})
	if err != nil {
		return err
	}
	return s.CheckPushed(ctx, all)
}

func (o *awsCRLPushOptions) takeLists(ctx context.Context, s *store) error {
	all := []awscrl.Taken{}
	err := s.TakeLists(ctx, o.request, o.why, func(authority string, t awscrl.Taken) {
		o.note(certinfo.TakenNotes(authority, t))
		all = append(all, t)
	})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		o.say("the ledger lacks nothing of the lists at AWS")
	}
	return o.writeJSON(struct {
		Taken []awscrl.Taken `json:"taken"`
	}{all})
}

// pushMade pushes lists that were made, if the configuration wants that, and reports whether they arrived. That they
// did not is a warning: what was revoked stays revoked, and the next push goes on.
func (h host) pushMade(ctx context.Context, s *store, made []*localca.CRL) bool {
	var names []string
	for _, m := range made {
		if m.Base == 0 {
			names = append(names, m.Authority)
		}
	}
	settings := s.Settings.AWS.CRL
	if !settings.Push || len(names) == 0 {
		return false
	}
	err := s.PushMade(ctx, settings, names, func(r *awscrl.Result) { h.note(certinfo.PushNotes(r)) })
	if err != nil {
		h.warn(err.Error())
		if hint := advise(err).Hint; hint != "" {
			cli.Say(h.Err, name, "hint", hint)
		}
	}
	return err == nil
}
