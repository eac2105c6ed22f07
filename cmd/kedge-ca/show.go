package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/certinfo"
	"kedge/internal/hostfiles"
	"kedge/internal/report"
)

type showOptions struct {
	host
	store  storeFlags
	output outputFlags
	text   string
	pem    bool
}

func newShow(h host, run func(context.Context, *showOptions) error) *cobra.Command {
	o := &showOptions{host: h}
	cmd := &cobra.Command{
		Use:   "show <name>",
		Short: "Show all that is known of a certificate",
		Long: `Show all that is known of a certificate, which is named as for "kedge-ca who". Of several,
such as those that renew one another, the last one issued is shown.`,
		Example: `  kedge-ca show web-01
  kedge-ca show web-01 --pem`,
		Args: exactlyOne("give what is to be shown: kedge-ca show NAME", "one name, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.text = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	o.output.add(cmd)
	cmd.Flags().BoolVar(&o.pem, "pem", false, "write the certificate itself, as PEM")
	cmd.MarkFlagsMutuallyExclusive("pem", "json")
	return cmd
}

func runShow(ctx context.Context, o *showOptions) (err error) {
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	found, err := s.service.Find(ctx, o.text)
	if err != nil {
		return err
	}
	last := found[0].Certificate
	for _, f := range found {
		if f.Seq > last.Seq {
			last = f.Certificate
		}
	}
	if err := o.write(last); err != nil {
		return err
	}
	if n := len(found) - 1; n > 0 {
		o.warn(fmt.Sprintf("%d more are named so; kedge-ca who lists them", n))
	}
	return nil
}

func (o *showOptions) write(c ledger.Certificate) error {
	d, err := newShown(c, o.inputs.Now())
	switch {
	case err != nil:
		return err
	case o.pem:
		return report.Write(o.Out, hostfiles.CertificatePEM(d.cert))
	case o.output.json:
		return report.WriteJSON(o.Out, d)
	}
	return report.WriteFields(o.Out, d.fields())
}

// shown is a certificate with what its sessions are called.
type shown struct {
	certinfo.Certificate
	Key            string            `json:"key"` // its type
	IssuerKeyID    string            `json:"issuer_key_id"`
	SourceIdentity string            `json:"source_identity,omitempty"`
	SessionTags    map[string]string `json:"session_tags,omitempty"`
	ReplacedBySeq  int64             `json:"replaced_by_seq,omitempty"`
	Seq            int64             `json:"seq"` // of its entry in the ledger

	cert *x509.Certificate
	tags []ca.Tag
}

func newShown(c ledger.Certificate, now time.Time) (*shown, error) {
	cert, err := c.X509()
	if err != nil {
		return nil, err
	}
	d, err := certinfo.Of(c, now)
	if err != nil {
		return nil, err
	}
	s := &shown{Certificate: d, Key: ca.KeyType(cert.PublicKey), IssuerKeyID: c.IssuerKeyID, Seq: c.Seq, ReplacedBySeq: c.ReplacedBy, cert: cert}
	if c.Kind == ledger.Leaf {
		s.SourceIdentity, s.tags = ca.SourceIdentity(cert), ca.SessionTags(cert)
		s.SessionTags = certinfo.Tags(s.tags)
	}
	return s, nil
}

func (s *shown) fields() []report.Field {
	state := s.State
	if s.RevokedAt != nil {
		state = fmt.Sprintf("%s since %s (%s)", s.State, rfc3339(*s.RevokedAt), s.Reason)
	}
	all := []report.Field{
		{"subject", s.Subject},
		{"issuer", s.Issuer},
		{"state", state},
		{"valid from", rfc3339(s.NotBefore)},
		{"valid until", rfc3339(s.NotAfter)},
		{"kind", s.Kind},
		{"key", s.Key},
		{"serial", s.Serial},
		{"serial, decimal", s.SerialDecimal},
		{"SHA-256", s.Fingerprint},
		{"DNS names", strings.Join(s.DNS, " ")},
		{"URIs", strings.Join(s.URIs, " ")},
		{"IP addresses", strings.Join(s.IPs, " ")},
		{"email addresses", strings.Join(s.Emails, " ")},
		{"source identity", s.SourceIdentity},
	}
	for _, tag := range s.tags {
		all = append(all, report.Field{"session tag", tag.Key + "=" + tag.Value})
	}
	return append(all,
		report.Field{"issued", fmt.Sprintf("%s, entry %d of the ledger", rfc3339(s.IssuedAt), s.Seq)},
		report.Field{"host", s.Host},
		report.Field{"profile", s.Profile},
		report.Field{"why", s.Why},
		report.Field{"renews", s.Replaces},
		report.Field{"renewed by", number(s.ReplacedBySeq, "entry %d of the ledger")},
	)
}

func number(n int64, format string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}
