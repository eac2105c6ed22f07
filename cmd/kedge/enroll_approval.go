package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/csr"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
)

// approvalFlags are for a host without a token.
type approvalFlags struct {
	url, fingerprint, profile string
	wait                      time.Duration
	systemRoots               bool

	token enrollapi.Token // checked: it leads to the server, and has no secret
}

// defaultWait is how long a host waits for the operator: as long as kedge-ca keeps its request.
const defaultWait = 24 * time.Hour

func (f *approvalFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.fingerprint, "ca-fingerprint", "", "SHA-256 `HASH` of the key of the CA at the URL, as kedge-ca pending prints it")
	flags.StringVar(&f.profile, "profile", "", "`NAME` of the profile of the CA to ask for, without a token (default: that of the CA)")
	flags.DurationVar(&f.wait, "wait", defaultWait, "`TIME` to wait for the approval; 0s asks once")
	flags.BoolVar(&f.systemRoots, "system-roots", false, "the server at the URL has a public certificate, which the roots of this system verify")
}

// noFingerprintError reports a URL without the hash of the CA's key: whoever answers there would be
// trusted.
type noFingerprintError struct{ url string }

func (e *noFingerprintError) Error() string {
	return fmt.Sprintf("nothing says which CA is at %s: --ca-fingerprint is missing", e.url)
}

// checkApproval checks what takes the place of a token.
func (o *enrollOptions) checkApproval(cmd *cobra.Command) error {
	f := &o.approval
	if f.url == "" {
		for _, flag := range []string{"ca-fingerprint", "profile", "wait", "system-roots"} {
			if cmd.Flags().Changed(flag) {
				return cli.Usagef(cmd, "--%s: is for enrolling without a token, which needs the URL of the server: kedge enroll https://HOST:PORT", flag)
			}
		}
		return nil
	}
	if o.tokenFile != "" || o.argument != "" {
		return cli.Usagef(cmd, "a token has the URL of its server: give the one or the other")
	}
	if err := enrollapi.CheckURL(f.url); err != nil {
		return cli.Usagef(cmd, "%s: %w", f.url, err)
	}
	if f.fingerprint == "" {
		return cli.Usagef(cmd, "%w", &noFingerprintError{f.url})
	}
	key, err := hex.DecodeString(strings.ReplaceAll(f.fingerprint, ":", ""))
	if err != nil || len(key) != enrollapi.KeyHashSize {
		return cli.Usagef(cmd, "--ca-fingerprint: %q is not a SHA-256 of 64 hexadecimal digits", f.fingerprint)
	}
	if f.wait < 0 {
		return cli.Usagef(cmd, "--wait: %v is negative", f.wait)
	}
	f.token = enrollapi.Token{URL: f.url, CAKey: [enrollapi.KeyHashSize]byte(key), SystemRoots: f.systemRoots}
	return o.nameApproval(cmd)
}

// nameApproval takes the name of the machine if none is given.
func (o *enrollOptions) nameApproval(cmd *cobra.Command) error {
	if o.name != "" {
		return nil
	}
	name, err := os.Hostname()
	if err == nil && name != "localhost" {
		if _, err = (&csr.Names{Name: name}).Request(); err == nil {
			o.name = name
			return nil
		}
	}
	return cli.Usagef(cmd, "--name: give the name to ask for; that of this machine, %q, is none", name)
}

// waiting returns how this host waits, and reports that it waits.
func (o *enrollOptions) waiting() *enrollclient.Approval {
	return &enrollclient.Approval{Profile: o.approval.profile, Wait: o.approval.wait, Report: func(p enrollclient.Progress) {
		if p.Err != nil {
			o.say("waiting", fmt.Sprintf("%v; it is tried again", p.Err))
			return
		}
		o.say("waiting", fmt.Sprintf("%s waits for approval at %s, as request %s; the operator of the CA sees the same in kedge-ca pending, and approves it: kedge-ca approve %s", o.name, p.Server, p.ID, p.ID[:16]))
	}}
}
