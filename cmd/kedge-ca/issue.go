package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.commonName = args[0]
			var err error
			if o.key, err = parseKeyKind(keyType, keyForm); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			if o.lifetime <= 0 {
				return cli.Usagef(cmd, "--lifetime: %v is not a time to live", o.lifetime)
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.add(cmd)
	cmd.Flags().StringVar(&o.out, "out", ".", "`PATH` of the folder to write to")
	cmd.Flags().DurationVar(&o.lifetime, "lifetime", 24*time.Hour, "`TIME` that the certificate is valid")
	cmd.Flags().StringVar(&keyType, "key-type", "P-256", "`TYPE` of the key: P-256, P-384, P-521, RSA-2048, RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65 or ML-DSA-87")
	cmd.Flags().StringVar(&keyForm, "mldsa-form", "seed", "`FORM` in which an ML-DSA key is written: seed, expanded or both")
	return cmd
}

func runIssue(_ context.Context, o *issueOptions) error {
	name := fileName(o.commonName)
	if name == "" {
		return fmt.Errorf("the name %q has nothing to call files after", o.commonName)
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
	leaf, err := authority.Issue(ca.Request{CommonName: o.commonName, Public: key.Public(), Lifetime: o.lifetime}, o.inputs.Now())
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
	return nil
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
