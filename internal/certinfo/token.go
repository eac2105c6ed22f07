package certinfo

import (
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Token is a token in JSON documents, and in lists. Times are UTC, in RFC 3339.
type Token struct {
	ID       string   `json:"id"`
	Names    []string `json:"names,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	Profile  string   `json:"profile"`
	State    string   `json:"state"`
	Uses     int      `json:"uses"`
	Used     int      `json:"used"`
	Made     string   `json:"made"`
	Expires  string   `json:"expires"`
	Networks []string `json:"networks,omitempty"`
	ForKey   string   `json:"for_key,omitempty"`
	Replace  bool     `json:"replace,omitempty"`
	Why      string   `json:"why,omitempty"`
}

// TokenOf describes a token. now decides the state.
func TokenOf(t ledger.Token, now time.Time) Token {
	d := Token{
		ID: hex.EncodeToString(t.ID), Names: t.Names, Pattern: t.Pattern, Profile: t.Profile, State: tokenState(t, now), Uses: t.Uses, Used: t.Used,
		Made: report.Time(t.At), Expires: report.Time(t.Expires), ForKey: hex.EncodeToString(t.ForKey), Replace: t.Replace, Why: t.Why,
	}
	for _, n := range t.Networks {
		d.Networks = append(d.Networks, n.String())
	}
	return d
}

// TokenUsable is the state of a token that can be used.
const TokenUsable = "usable"

// tokenState returns the state of a token; the first that applies.
func tokenState(t ledger.Token, now time.Time) string {
	switch {
	case t.Revoked != nil:
		return "revoked"
	case t.Void:
		return "void"
	case t.Used >= t.Uses:
		return "spent"
	case !now.Before(t.Expires):
		return "expired"
	}
	return TokenUsable
}

// Tokens describes tokens, only those that can be used unless all are asked for. Approvals, which
// are tokens too, are left out.
func Tokens(tokens iter.Seq2[ledger.Token, error], all bool, now time.Time) iter.Seq2[Token, error] {
	return report.Each(tokens, func(t ledger.Token) (Token, bool) {
		d := TokenOf(t, now)
		return d, len(t.Request) == 0 && (all || d.State == TokenUsable)
	})
}

// allNames are the names and the pattern that a token is for.
func (t Token) allNames() string {
	return strings.TrimSpace(strings.Join(t.Names, " ") + " " + t.Pattern)
}

// replaces is "yes" if the token gives the name to another key than the one that holds it.
func (t Token) replaces() string {
	if t.Replace {
		return "yes"
	}
	return ""
}

// ReplaceWarnings warns of the tokens that still give the name of a host to another key, after its
// certificates were revoked.
func ReplaceWarnings(tokens iter.Seq2[ledger.Token, error], revoked []ledger.Certificate, now time.Time) (warnings []string, err error) {
	names := map[string]bool{}
	for i := range revoked {
		if revoked[i].Kind == ledger.Leaf {
			names[revoked[i].CommonName] = true
		}
	}
	for t, err := range Tokens(tokens, false, now) {
		if err != nil {
			return warnings, err
		}
		if t.Replace && len(t.Names) == 1 && names[t.Names[0]] {
			warnings = append(warnings, fmt.Sprintf("the token %s still gives the name %q to another key until %s: kedge-ca token revoke %[1]s", t.ID, t.Names[0], t.Expires))
		}
	}
	return warnings, nil
}

// TokenListing returns how tokens are written.
func TokenListing() report.Listing[Token] {
	columns := []report.Column[Token]{
		{Head: "ID", Value: func(t Token) string { return t.ID }},
		{Head: "NAMES", Value: Token.allNames},
		{Head: "PROFILE", Value: func(t Token) string { return t.Profile }},
		{Head: "STATE", Value: func(t Token) string { return t.State }},
		{Head: "USED", Value: func(t Token) string { return strconv.Itoa(t.Used) + "/" + strconv.Itoa(t.Uses) }},
		{Head: "REPLACE", Value: Token.replaces},
		{Head: "EXPIRES", Value: func(t Token) string { return t.Expires }},
		{Head: "WHY", Value: func(t Token) string { return t.Why }},
	}
	return report.Listing[Token]{Key: "tokens", JSON: func(t Token) any { return t }, Columns: columns}
}

// MadeTokens is the JSON document of tokens that were made.
type MadeTokens struct {
	Tokens []MadeToken `json:"tokens"`
}

// MadeToken is a token with its text, which is a secret.
type MadeToken struct {
	Token
	Text string `json:"token"`
	URL  string `json:"url"`
}

// Lines has a line for each token: what it is for, a tab, and its text.
func (m MadeTokens) Lines() []byte {
	var lines []byte
	for _, t := range m.Tokens {
		lines = append(lines, t.allNames()+"\t"+t.Text+"\n"...)
	}
	return lines
}

// Notes lists what was made, without the secrets.
func (m MadeTokens) Notes() (n report.Notes) {
	for _, t := range m.Tokens[:min(len(m.Tokens), report.MaxNamed)] {
		n.Done("made %s", t.InWords())
	}
	if more := len(m.Tokens) - report.MaxNamed; more > 0 {
		n.Done("made %d more", more)
	}
	return n
}

// InWords describes what a token is for.
func (t Token) InWords() string {
	what := "new names such as " + strconv.Quote(t.Pattern)
	if t.Pattern == "" {
		var quoted []string
		for _, name := range t.Names {
			quoted = append(quoted, strconv.Quote(name))
		}
		what = strings.Join(quoted, ", ")
	}
	times := "once"
	if t.Uses > 1 {
		times = fmt.Sprintf("%d times", t.Uses)
	}
	return fmt.Sprintf("the token %s for %s, to be used %s until %s", t.ID, what, times, t.Expires)
}
