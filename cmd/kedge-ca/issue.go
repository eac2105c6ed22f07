package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/cli"
)

type issueOptions struct {
	host
	store      storeFlags
	commonName string
	out        string
	lifetime   time.Duration
	key        keyKind
}

func newIssue(h host, run func(context.Context, *issueOptions) error) *cobra.Command {
	o := &issueOptions{host: h}
	var keyType, keyForm string
	cmd := &cobra.Command{
		Use:   "issue <name>",
		Short: "Make a key and a certificate for a host or workload",
		Long: `Make a key and a leaf certificate for a host or workload, and write
  NAME.key        the private key, PKCS#8 in PEM, mode 0600
  NAME.pem        the certificate
  NAME.chain.pem  the certificates of its issuers, up to the root
Nothing that is there is overwritten.`,
		Example: "  kedge-ca issue web-01 --out /etc/kedge",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("give the name: kedge-ca issue NAME")
			}
			return cobra.MaximumNArgs(1)(nil, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.commonName = args[0]
			var err error
			if o.key, err = parseKeyKind(keyType, keyForm); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			if cmd.Flags().Changed("mldsa-form") && !o.key.isMLDSA() {
				return cli.Usagef(cmd, "--mldsa-form: a key of type %s has one form only; ML-DSA has several", keyType)
			}
			if o.lifetime <= 0 {
				return cli.Usagef(cmd, "--lifetime: %v is not a time to live", o.lifetime)
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.add(cmd)
	cmd.Flags().StringVar(&o.out, "out", ".", "`PATH` of the folder to write to")
	o.lifetime = 24 * time.Hour
	cmd.Flags().Var((*lifetime)(&o.lifetime), "lifetime", "`TIME` that the certificate is valid, such as 90m or 720h")
	cmd.Flags().StringVar(&keyType, "key-type", "P-256", "`TYPE` of the key: P-256, P-384, P-521, RSA-2048, RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65 or ML-DSA-87")
	cmd.Flags().StringVar(&keyForm, "mldsa-form", "seed", "`FORM` in which an ML-DSA key is written: seed, expanded or both")
	return cmd
}

func runIssue(ctx context.Context, o *issueOptions) error {
	name := fileName(o.commonName)
	if name == "" {
		return fmt.Errorf("the name %q has nothing to call files after", o.commonName)
	}
	if err := folder("out", o.out); err != nil {
		return err
	}
	if wrong, ok := errors.AsType[*folderError](folder("dir", o.store.dir)); ok && !wrong.absent {
		return wrong
	}
	base := filepath.Join(o.out, name)
	keyPath, certPath, chainPath := base+".key", base+".pem", base+".chain.pem"
	if err := vacant(keyPath, certPath, chainPath); err != nil {
		return err
	}
	authority, err := o.store.open(o.host)
	if err != nil {
		return err
	}
	key, der, err := o.key.generate()
	if err != nil {
		return err
	}
	defer clear(der)
	now := o.inputs.Now()
	prepared, err := authority.PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: o.commonName, Public: key.Public(), Lifetime: o.lifetime}, now)
	if err != nil {
		return err
	}
	leaf, err := prepared.Issue(ctx, ca.Unrecorded{})
	if err != nil {
		return err
	}
	files := []struct {
		path string
		data []byte
		mode os.FileMode
	}{
		{keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600},
		{certPath, certPEM(leaf), 0o644},
		{chainPath, certPEM(authority.Certificate()), 0o644},
	}
	for i, f := range files {
		if err := atomicfile.Create(f.path, f.data, f.mode); err != nil {
			for _, written := range files[:i] {
				err = errors.Join(err, os.Remove(written.path))
			}
			return err
		}
	}
	o.say(fmt.Sprintf("issued %q, serial %x, valid until %s: %s, %s, %s", o.commonName, leaf.SerialNumber,
		leaf.NotAfter.UTC().Format(time.RFC3339), keyPath, certPath, chainPath))
	if now.Add(o.lifetime).Sub(leaf.NotAfter) >= time.Second { // certificates have whole seconds
		o.warn(fmt.Sprintf("%s is valid until %s only, when the CA itself ends", certPath, leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
	return nil
}

// lifetime is the value of --lifetime: a duration of Go, with better words for days.
type lifetime time.Duration

func (l *lifetime) String() string { return time.Duration(*l).String() }
func (l *lifetime) Type() string   { return "lifetime" } // another type than cli has words for

func (l *lifetime) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err == nil {
		*l = lifetime(d)
		return nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return fmt.Errorf("there is no unit for days; write %dh", 24*n)
		}
	}
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return fmt.Errorf("it has no unit; write %sh for hours", text)
	}
	return errors.New("write hours, such as 720h for 30 days")
}

// fileName makes a name for files of a common name: slashes and the like, as in a SPIFFE
// ID, would be folders.
func fileName(commonName string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:`, r) {
			return '_'
		}
		return r
	}, commonName)
	return strings.TrimLeft(name, ".-")
}
