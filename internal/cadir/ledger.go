package cadir

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"kedge/internal/config"
)

// LedgerPlace is where the ledger is, as ledger.Open takes it, and warnings of what endangers its
// password. stdin is for a reference to standard input.
func (f Folder) LedgerPlace(s *Settings, stdin io.Reader) (place string, warnings []string, err error) {
	place = s.Ledger
	if strings.HasPrefix(place, "env:") {
		in, err := config.ParseInput(place)
		if err == nil {
			place, err = in.Text(stdin)
		}
		if err != nil {
			return "", nil, fmt.Errorf("%s: ledger: %w", f.SettingsPath(), err)
		}
	} else if hasPassword(place) {
		warnings = config.OpenToOthers("the password of the ledger in", f.SettingsPath())
	}
	if likeDSN(place) && !IsDSN(place) { // as a path it would be in errors, with the password
		return "", nil, fmt.Errorf("%s: ledger: it is neither a path nor an address that begins with postgres://", f.SettingsPath())
	}
	if !IsDSN(place) && !filepath.IsAbs(place) {
		place = filepath.Join(f.Dir, place)
	}
	return place, warnings, nil
}

// IsDSN reports whether the place of a ledger is the address of a server, not a path.
func IsDSN(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// likeDSN reports whether the address of a server was meant, however it is written.
func likeDSN(place string) bool {
	word := strings.ToLower(place)
	return strings.Contains(word, "://") || strings.Contains(word, "password=") || strings.HasPrefix(word, "postgres:") || strings.HasPrefix(word, "postgresql:") ||
		strings.Contains(word, "host=") && strings.Contains(word, "user=")
}

func hasPassword(place string) bool {
	u, err := url.Parse(place)
	if !IsDSN(place) || err != nil {
		return false
	}
	_, set := u.User.Password()
	return set || u.Query().Get("password") != ""
}
