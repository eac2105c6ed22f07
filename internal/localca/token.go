package localca

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/enrollapi"
)

// TokenFor specifies for which host a token is made.
type TokenFor struct {
	// Name is the requested name, or a pattern, with *, ? or {random}, for names that no certificate has
	// had.
	Name    string
	Profile string // empty: that of the terms
	Where   string // FILE:LINE, with which errors about it begin; may be empty
}

// IsPattern reports whether the name is a pattern: no name has these characters.
func (f TokenFor) IsPattern() bool { return strings.ContainsAny(f.Name, "*?{}") }

// CheckPattern refuses a pattern that is none.
func (f TokenFor) CheckPattern() error {
	rest := strings.Replace(f.Name, ledger.RandomPart, "", 1)
	switch random := rest != f.Name; {
	case strings.ContainsAny(rest, "{}"):
		return fmt.Errorf("in the pattern %q only one %s can be in braces", f.Name, ledger.RandomPart)
	case random && strings.ContainsAny(rest, "*?"):
		return fmt.Errorf("the pattern %q has %s, which leaves no choice, and * or ?: take the one or the other", f.Name, ledger.RandomPart)
	}
	return nil
}

// example returns a short name that fits the pattern.
func (f TokenFor) example() string {
	return strings.NewReplacer(ledger.RandomPart, "x", "*", "x", "?", "x").Replace(f.Name)
}

// TokenTerms limit the use of tokens.
type TokenTerms struct {
	Profile  string // of hosts that have none; empty: the default one
	URL      string // of the server; empty: that of the configuration
	Uses     int    // of each
	Lifetime time.Duration
	Networks []netip.Prefix // from which it can be used; none: any
	ForKey   []byte         // ca.KeyHash of the only key that can use it; nil: any
	Replace  bool           // it can give a name that another key holds
	Why      string         // for the ledger
}

// NewToken is a token that was made. Its text is known only now: the ledger has a hash of it.
type NewToken struct {
	enrollapi.Token
	Record ledger.Token
	where  string // as in TokenFor
}

// tokenBatch is how many tokens are recorded in one transaction: many more do not fit in the time that
// one may take, and issuing waits for it.
const tokenBatch = 5000

// MakeTokens makes a token for each host and records them, 5000 at a time, all or none of these. Its
// result are the tokens that are recorded, also after an error: that is a *SomeTokensError then. If the
// configuration does not say how hosts reach the CA, the error is a *NoServerError; if a profile accepts
// no tokens, a *NoProofError. Others are those of cadir.Settings.Profile, ca.Profile.CheckName,
// ca.Profile.CheckSubject and ledger.Ledger.AddTokens.
func (c *CA) MakeTokens(ctx context.Context, hosts []TokenFor, terms TokenTerms) ([]NewToken, error) {
	if len(hosts) == 0 {
		return nil, errors.New("make a token: there is none")
	}
	terms.URL = cmp.Or(terms.URL, c.Settings.Server.URL)
	if terms.URL == "" {
		return nil, &NoServerError{File: c.folder.SettingsPath()}
	}
	path, err := c.Service.Issuing(ctx, "")
	if err != nil {
		return nil, err
	}
	pin := sha256.Sum256(path[len(path)-1].Certificate.RawSubjectPublicKeyInfo)
	var made []NewToken
	var records []ledger.Token
	for _, host := range hosts {
		host.Profile = cmp.Or(host.Profile, terms.Profile)
		t, err := c.makeToken(host, terms, pin)
		if err != nil {
			return nil, at(host.Where, err)
		}
		made, records = append(made, t), append(records, t.Record)
	}
	return c.addTokens(ctx, made, records)
}

// addTokens records tokens, and returns those that are recorded.
func (c *CA) addTokens(ctx context.Context, made []NewToken, records []ledger.Token) ([]NewToken, error) {
	done := 0
	for batch := range slices.Chunk(records, tokenBatch) {
		if err := c.Service.AddTokens(ctx, batch); err != nil {
			err = at(whereOf(err, made), err)
			if done == 0 {
				return nil, err
			}
			return made[:done], &SomeTokensError{Made: done, All: len(made), Next: cmp.Or(strings.Join(batch[0].Names, " "), batch[0].Pattern), Err: err}
		}
		done += len(batch)
	}
	return made, nil
}

// at returns an error that begins with FILE:LINE; that of the command line does not.
func at(where string, err error) error {
	if where == "" {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

// whereOf returns where the name is written that the ledger gives no token.
func whereOf(err error, made []NewToken) string {
	var name string
	if held, ok := errors.AsType[*ledger.HeldError](err); ok {
		name = held.Name
	} else if denied, ok := errors.AsType[*ledger.DeniedError](err); ok {
		name = denied.Name
	}
	i := slices.IndexFunc(made, func(t NewToken) bool { return slices.Contains(t.Record.Names, name) })
	if i < 0 {
		return ""
	}
	return made[i].where
}

func (c *CA) makeToken(host TokenFor, terms TokenTerms, pin [sha256.Size]byte) (NewToken, error) {
	profile, err := c.tokenProfile(host)
	if err != nil {
		return NewToken{}, err
	}
	t, err := enrollapi.NewToken(terms.URL, pin, c.Settings.Server.TLS == cadir.TLSSystem)
	if err != nil {
		return NewToken{}, err
	}
	secret := sha256.Sum256(t.Secret.Bytes())
	now := c.config.Keys.Host.Now()
	r := ledger.Token{
		ID: t.ID[:], SecretHash: secret[:], Profile: profile.Name(), Uses: terms.Uses, Expires: now.Add(terms.Lifetime),
		Networks: terms.Networks, ForKey: terms.ForKey, Replace: terms.Replace, Why: terms.Why, At: now,
	}
	if name := profile.CommonName(host.Name); host.IsPattern() {
		r.Pattern = name
	} else {
		r.Names = []string{name}
	}
	return NewToken{t, r, host.Where}, nil
}

// tokenProfile returns the profile of a token, if that accepts tokens and issues the name.
func (c *CA) tokenProfile(host TokenFor) (*ca.Profile, error) {
	profile, err := c.Settings.Profile(host.Profile)
	if err != nil {
		return nil, err
	}
	enrollment, err := c.Settings.Enrollment(host.Profile)
	if err != nil {
		return nil, err
	}
	if !enrollment.Allows(ca.ProofToken) {
		return nil, &NoProofError{Profile: profile.Name()}
	}
	if !host.IsPattern() {
		if err := profile.CheckName(host.Name); err != nil {
			return nil, err
		}
		return profile, profile.CheckSubject(host.Name)
	}
	if err := host.CheckPattern(); err != nil {
		return nil, err
	}
	return profile, profile.CheckSubject(host.example())
}

// ParseTokenID reads the ID of a token, in hexadecimal as commands write it, or the text of a token.
// The error does not show the text.
func ParseTokenID(text string) ([]byte, error) {
	if t, err := enrollapi.ParseToken(text); err == nil {
		return t.ID[:], nil
	}
	id, err := hex.DecodeString(text)
	if err != nil || len(id) != ledger.TokenIDSize {
		return nil, errors.New("it is neither the ID of a token, of 24 hexadecimal digits, nor a token")
	}
	return id, nil
}

// ParseNetwork reads a range of addresses, or one address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	switch {
	case err != nil || network.Addr().Is4In6():
		return network, fmt.Errorf("%q is not a range of addresses, such as 10.1.0.0/16", text)
	case network != network.Masked():
		return network, fmt.Errorf("bits are set after the first %d of %s; write %s", network.Bits(), text, network.Masked())
	}
	return network, nil
}

// ParseKeyHash reads a SHA-256 in hexadecimal; colons are ignored.
func ParseKeyHash(text string) ([]byte, error) {
	hash, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(hash) != sha256.Size {
		return nil, fmt.Errorf("%q is not a SHA-256 of 64 hexadecimal digits", text)
	}
	return hash, nil
}

// NoServerError reports that tokens cannot be made, since the configuration does not say where the
// server is.
type NoServerError struct {
	File string // the configuration
}

func (e *NoServerError) Error() string {
	return "the configuration does not say how hosts reach this CA: server.url is missing in " + e.File
}

// NoProofError reports that a profile accepts no tokens.
type NoProofError struct{ Profile string }

func (e *NoProofError) Error() string {
	return fmt.Sprintf("the profile %q takes no tokens: its enroll.proofs does not list token", e.Profile)
}

// SomeTokensError reports that tokens were made for the first hosts only.
type SomeTokensError struct {
	Made, All int
	Next      string // name of the first host without one
	Err       error  // why
}

func (e *SomeTokensError) Error() string {
	return fmt.Sprintf("%d of %d tokens were made, and are good; for those from %q on: %v", e.Made, e.All, e.Next, e.Err)
}

func (e *SomeTokensError) Unwrap() error { return e.Err }
