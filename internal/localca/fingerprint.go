package localca

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"kedge/internal/cadir"
)

// EnrollLine returns the command by which a host without a token asks for approval: with the URL of the
// configuration, and the hash of the key of the root.
func (c *CA) EnrollLine(ctx context.Context) (string, error) {
	path, err := c.Service.Issuing(ctx, "")
	if err != nil {
		return "", err
	}
	pin := sha256.Sum256(path[len(path)-1].Certificate.RawSubjectPublicKeyInfo)
	line := "kedge enroll " + cmp.Or(c.Settings.Server.URL, "https://HOST:PORT") + " --ca-fingerprint " + hex.EncodeToString(pin[:])
	if c.Settings.Server.TLS == cadir.TLSSystem {
		line += " --system-roots"
	}
	return line, nil
}
