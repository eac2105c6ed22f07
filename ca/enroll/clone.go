package enroll

import (
	"context"
	"encoding/hex"
	"errors"

	"kedge/ca/ledger"
)

// alarm logs that a certificate which was renewed is to be renewed with another key, with the keys and
// addresses of both requests, if the ledger has an entry about it since this request: once for each key.
func (s *Server) alarm(ctx context.Context, c *call, err error) {
	clone, ok := errors.AsType[*ledger.CloneError](err)
	if !ok || !clone.Noted {
		return
	}
	first := "unknown"
	if e, err := s.service.Enrollment(ctx, clone.Newest); err == nil && e != nil {
		first = e.Address.String()
	}
	s.log.Error("alarm: a certificate that was renewed came again with another key: two hosts have it, or its host made a new key and still presents the old certificate; see kedge-ca hosts, and end it with kedge-ca resolve NAME --keep SERIAL",
		"name", clone.Newest.CommonName, "presented", clone.Presented.Serial, "key", hex.EncodeToString(clone.Key), "address", c.from.String(),
		"newest", clone.Newest.Serial, "newest_key", hex.EncodeToString(clone.Newest.KeyHash), "newest_address", first, "newest_at", rfc3339(clone.Newest.IssuedAt))
}
