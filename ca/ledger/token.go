package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"kedge/ca"
)

// TokenIDSize is the size of a Token's ID.
const TokenIDSize = 12

// Token is a permission to enroll: its secret is enough to get a certificate, within the rules in
// enrollment.go. One with a Request is an approval, which has no secret: it is for that request alone.
type Token struct {
	ID         []byte // TokenIDSize random bytes
	SecretHash []byte // SHA-256 of the secret
	Request    []byte // the ID of the Request that was approved; nil for one with a secret

	// Names are the common names that it can give; if there are none, Pattern, in the syntax of
	// ca.MatchName or with a RandomPart, has them. By a pattern, and by a token of several uses, only names are given
	// that no certificate has ever had.
	Names   []string
	Pattern string

	Profile  string
	Uses     int // by different keys; a second use by the same key gets the same certificate
	Expires  time.Time
	Networks []netip.Prefix // of the host; none: any
	ForKey   []byte         // ca.KeyHash of the only key that may use it; nil: any
	Replace  bool           // it may give a name that another key holds, whose lineages then end; for one use and one name
	Why      string         // may be empty
	At       time.Time      // when it was made

	// The ledger sets these.
	Seq     int64 // of its entry
	Used    int
	Revoked *time.Time
	Void    bool // the ledger was restored after it was made
}

// tokenBody is the entry of a token.
type tokenBody struct {
	ID       string   `json:"id"`
	Secret   string   `json:"secret"` // its SHA-256
	Names    []string `json:"names,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	Profile  string   `json:"profile"`
	Uses     int      `json:"uses"`
	Expires  int64    `json:"expires"` // microseconds
	Networks []string `json:"networks,omitempty"`
	ForKey   string   `json:"for_key,omitempty"`
	Replace  bool     `json:"replace,omitempty"`
	Why      string   `json:"why,omitempty"`
	Request  string   `json:"request,omitempty"` // of an approval
}

// kind is that of the entry.
func (t *Token) kind() string {
	switch {
	case len(t.Request) == 0:
		return kindToken
	case t.Revoked != nil:
		return kindRequestDeny
	}
	return kindApproval
}

func (t *Token) body() tokenBody {
	b := tokenBody{ID: hex.EncodeToString(t.ID), Secret: hex.EncodeToString(t.SecretHash), Names: t.Names, Pattern: t.Pattern, Profile: t.Profile, Uses: t.Uses,
		Expires: t.Expires.UnixMicro(), ForKey: hex.EncodeToString(t.ForKey), Replace: t.Replace, Why: t.Why,
		Request: hex.EncodeToString(t.Request)}
	for _, n := range t.Networks {
		b.Networks = append(b.Networks, n.String())
	}
	return b
}

// row returns the columns that follow from the entry.
func (b *tokenBody) row(seq int64, at time.Time) ([]any, error) {
	id, err := hex.DecodeString(b.ID)
	secret, err2 := hex.DecodeString(b.Secret)
	key, err3 := hex.DecodeString(b.ForKey)
	request, err4 := hex.DecodeString(b.Request)
	replace := int64(0)
	if b.Replace {
		replace = 1
	}
	return []any{id, orNull(secret), strings.Join(b.Names, "\n"), b.Pattern, b.Profile, int64(b.Uses), b.Expires,
		strings.Join(b.Networks, "\n"), orNull(key), replace, b.Why, orNull(request), seq, at.UnixMicro()}, errors.Join(err, err2, err3, err4)
}

// check refuses an invalid token.
func (t *Token) check() error {
	switch {
	case len(t.Request) != 0:
		return errors.New("make a token: a request is approved with Approve")
	case len(t.ID) != TokenIDSize || len(t.SecretHash) != sha256.Size:
		return errors.New("make a token: its ID or the hash of its secret has the wrong size")
	case t.Profile == "":
		return errors.New("make a token: the profile is missing")
	case t.Uses < 1:
		return errors.New("make a token: it needs one use at least")
	case t.At.IsZero() || !t.Expires.After(t.At):
		return errors.New("make a token: it would have expired when it is made")
	case len(t.ForKey) != 0 && len(t.ForKey) != sha256.Size:
		return errors.New("make a token: the hash of the key is no SHA-256")
	}
	return t.checkTexts()
}

// checkTexts refuses names that do not fit, and what cannot be stored or would be misread where it is
// printed.
func (t *Token) checkTexts() error {
	switch {
	case (len(t.Names) == 0) == (t.Pattern == ""):
		return errors.New("make a token: it needs names or a pattern for them, and not both")
	case slices.Contains(t.Names, ""):
		return errors.New("make a token: a name is empty")
	case t.Replace && (t.Uses != 1 || len(t.Names) != 1):
		return errors.New("make a token: one that may replace a host's key is for one use and one name")
	}
	for what, texts := range map[string][]string{"name": t.Names, "pattern": {t.Pattern}, "profile": {t.Profile}, "reason": {t.Why}} {
		for _, text := range texts {
			if err := writable(what, text); err != nil {
				return fmt.Errorf("make a token: %w", err)
			}
			if what != "reason" && strings.ContainsFunc(text, unicode.IsControl) {
				return fmt.Errorf("make a token: the %s %q has a control character", what, text)
			}
		}
	}
	for _, n := range t.Networks {
		if !n.IsValid() || n.Addr().Is4In6() {
			return fmt.Errorf("make a token: %q is no network", n)
		}
	}
	return nil
}

// unused reports whether the token names only names that no certificate may have had.
func (t *Token) unused() bool { return t.Pattern != "" || t.Uses > 1 }

// RandomPart in the pattern of a token stands for what NameFor puts there.
const RandomPart = "{random}"

// NameFor returns the only name that the token can give to a key by its ca.KeyHash, if the pattern has
// a RandomPart; else "". It is the same each time, so that a host that asks again gets the same answer,
// and different for each key: the part is 50 bits of a hash of the token's ID and the key.
func (t *Token) NameFor(keyHash []byte) string {
	if !strings.Contains(t.Pattern, RandomPart) {
		return ""
	}
	hash := sha256.New()
	for _, part := range [][]byte{[]byte("kedge name 1\x00"), t.ID, keyHash} {
		hash.Write(part)
	}
	const alphabet, size = "0123456789abcdefghjkmnpqrstvwxyz", 10 // Crockford's base 32
	random := hash.Sum(nil)[:size]
	for i, b := range random {
		random[i] = alphabet[b%32]
	}
	return strings.ReplaceAll(t.Pattern, RandomPart, string(random))
}

// gives reports whether the token is for a name, and a key by its ca.KeyHash.
func (t *Token) gives(name string, keyHash []byte) bool {
	if t.Pattern == "" {
		return slices.Contains(t.Names, name)
	}
	if chosen := t.NameFor(keyHash); chosen != "" {
		return name == chosen
	}
	return name != "" && ca.MatchName(t.Pattern, name)
}

// allows reports whether the token can be used from an address.
func (t *Token) allows(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return len(t.Networks) == 0 || slices.ContainsFunc(t.Networks, func(n netip.Prefix) bool { return n.Contains(from) })
}

// AddTokens records tokens, all or none. A name that another key holds needs a token with Replace:
// otherwise the error is a *HeldError. A denied name is a *DeniedError.
func (l *Ledger) AddTokens(ctx context.Context, all []Token) error {
	if len(all) == 0 {
		return errors.New("make a token: there is none")
	}
	for i := range all {
		if err := all[i].check(); err != nil {
			return err
		}
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		for i := range all {
			if err := t.addToken(ctx, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *transaction) addToken(ctx context.Context, token *Token) error {
	for _, name := range token.Names {
		if err := t.free(ctx, token, name); err != nil {
			return err
		}
	}
	return t.insertToken(ctx, token)
}

func (t *transaction) insertToken(ctx context.Context, token *Token) error {
	known, err := t.tokens(ctx, "WHERE t.id = ?", token.ID)
	if err != nil {
		return err
	}
	if len(known) != 0 {
		return &DuplicateError{What: fmt.Sprintf("the token %x", token.ID)}
	}
	body := token.body()
	text, err := encode(body)
	if err != nil {
		return err
	}
	entry := t.next(token.kind(), text, token.At)
	row, err := body.row(t.seq, t.at)
	if err != nil {
		return err
	}
	all := []statement{entry, one(insertToken, row...)}
	if token.Revoked != nil {
		all = append(all, one(endToken, t.at.UnixMicro(), token.ID))
	}
	return t.send(ctx, all...)
}

// free refuses a name that the token could not give.
func (t *transaction) free(ctx context.Context, token *Token, name string) error {
	denied, err := t.denial(ctx, name)
	switch {
	case err != nil:
		return err
	case denied != nil:
		return denied
	case token.Replace:
		return nil
	}
	where, args := heldByOther, []any{name, token.ForKey}
	switch {
	case token.unused():
		where, args = everNamed, args[:1]
	case len(token.ForKey) == 0:
		args[1] = []byte{0} // the hash of no key
	}
	c, err := t.certificate(ctx, "c.seq = ("+where+")", args...)
	if c == nil || err != nil {
		return err
	}
	return &HeldError{Name: name, Newest: *c}
}
