package enrollapi

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
	"testing"
)

func TestToken(t *testing.T) {
	for _, url := range []string{
		"https://ca.example.org", "https://ca.example.org:8443", "https://10.0.0.1:8443", "https://[2001:db8::1]:8443",
		"https://a", "https://proxy.example.org/ca/prod", "https://xn--mller-kva.example:443", "https://" + strings.Repeat("a", 500),
	} {
		for _, systemRoots := range []bool{false, true} {
			token, err := NewToken(url, [32]byte{1, 2, 3}, systemRoots)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseToken(" " + token.String() + "\r\n")
			if err != nil {
				t.Fatalf("%s: %v", url, err)
			}
			if got.String() != token.String() || got.URL != url || got.SystemRoots != systemRoots || got.CAKey != token.CAKey || got.ID != token.ID ||
				!bytes.Equal(got.Secret.Bytes(), token.Secret.Bytes()) {
				t.Errorf("%s came back as %v", url, got)
			}
			if bad := strings.Trim(token.String(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"); bad != "" {
				t.Errorf("the text needs quotes for %q", bad)
			}
		}
	}
}

// The layout, written by hand: tokens outlive versions of kedge.
func TestToken_layout(t *testing.T) {
	const hexToken = "000102030405060708090a0b" + "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7" +
		"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf" + "01" + "68747470733a2f2f6361" // https://ca
	raw, err := hex.DecodeString(hexToken)
	if err != nil {
		t.Fatal(err)
	}
	text := withChecksum(raw)
	token, err := ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	if token.String() != text || token.URL != "https://ca" || !token.SystemRoots || token.IDText() != "000102030405060708090a0b" ||
		token.CAKey[31] != 0xdf || token.Secret.Bytes()[23] != 0xb7 {
		t.Errorf("got %v", token)
	}
}

func withChecksum(raw []byte) string {
	raw = binary.BigEndian.AppendUint32(bytes.Clone(raw), crc32.ChecksumIEEE(raw))
	return "kedge1_" + base64.RawURLEncoding.EncodeToString(raw)
}

func TestParseToken_bad(t *testing.T) {
	token, err := NewToken("https://ca.example.org", [32]byte{1}, false)
	if err != nil {
		t.Fatal(err)
	}
	good := token.String()
	head := make([]byte, headSize)
	flags := bytes.Clone(head)
	flags[headSize-1] = 0x80
	for name, test := range map[string]struct{ text, want string }{
		"empty":             {" \n", "empty"},
		"other text":        {"hello", "does not start with kedge1_"},
		"later version":     {"kedge2_" + good[7:], "another version"},
		"cut":               {good[:len(good)-1], "not complete"},
		"cut in half":       {good[:len(good)/2], "not complete"},
		"only the prefix":   {"kedge1_", "not complete"},
		"a letter swapped":  {good[:20] + swap(good[20]) + good[21:], "changed on the way"},
		"two tokens":        {good + good, "changed on the way"},
		"inner line break":  {good[:40] + "\n" + good[40:], "characters other than"},
		"control character": {good[:40] + "\x1b[2J" + good[40:], "characters other than"},
		"shell code":        {good + ";reboot", "characters other than"},
		"padding":           {good + "=", "characters other than"},
		"NUL":               {good + "\x00", "characters other than"},
		"long":              {"kedge1_" + strings.Repeat("A", 2000), "more than 1024"},
		"no URL":            {withChecksum(head), "no server"},
		"unknown flag":      {withChecksum(append(flags, "https://ca"...)), "does not know"},
		"http":              {withChecksum(append(bytes.Clone(head), "http://ca"...)), "https://"},
		"escape in URL":     {withChecksum(append(bytes.Clone(head), "https://ca/\x1b[2J"...)), "printable"},
	} {
		_, err := ParseToken(test.text)
		if !errors.As(err, new(*TokenTextError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), good[10:40]) || strings.ContainsAny(err.Error(), "\x1b\x00\n")) {
			t.Errorf("%s: the error repeats the token: %q", name, err)
		}
	}
}

func swap(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func FuzzParseToken(f *testing.F) {
	f.Add("kedge1_AAAA")
	f.Add(withChecksum(append(make([]byte, headSize), "https://ca"...)))
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if err == nil && token.String() != strings.TrimSpace(text) {
			t.Errorf("%q reads as %q", text, token.String())
		}
	})
}

func TestCheckURL(t *testing.T) {
	for _, bad := range []string{
		"", "ca.example.org", "http://ca", "HTTPS://ca", "https://", "https:///x", "https://:8443", "https://u@ca", "https://u:p@ca", "https://ca?x=1",
		"https://ca?", "https://ca#", "https://ca#x", "https://ca/", "https://ca/a/", "https://ca/../x", "https://ca//x", "https://ca:0", "https://ca:99999",
		"https://ca:", "https://ca:x", "https://[fe80::1%25eth0]", "https://ca /", "https://ca\n", "https://c\u00e4", "https:\\\\ca", "https:ca",
		"https://" + strings.Repeat("a", 600),
	} {
		if err := CheckURL(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// However a token is printed, its secret is not; only String gives it.
func TestToken_hidden(t *testing.T) {
	token, err := NewToken("https://ca", [32]byte{1}, false)
	if err != nil {
		t.Fatal(err)
	}
	secret := token.Secret.Bytes()
	needles := []string{
		token.String()[30:50], hex.EncodeToString(secret)[:20], strings.ToUpper(hex.EncodeToString(secret)[:20]),
		base64.StdEncoding.EncodeToString(secret)[:16], strings.Trim(fmt.Sprint(secret[:8]), "[]"), fmt.Sprintf("%#v", secret[:6])[7:30],
	}
	type inside struct {
		token  Token
		secret Secret
		Public Token
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		logger.Info("x", "token", token, "pointer", &token, "secret", token.Secret, "inside", inside{token, token.Secret, token}, "all", []Token{token})
	}
	document, err := json.Marshal(map[string]any{"token": token, "list": []Token{token}})
	if err != nil {
		t.Fatal(err)
	}
	outputs := []string{log.String(), string(document), fmt.Sprint(token, &token, token.Secret, []Token{token})}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		outputs = append(outputs, fmt.Sprintf(verb, token), fmt.Sprintf(verb, inside{token, token.Secret, token}), fmt.Sprintf(verb, token.Secret),
			fmt.Sprintf(verb, TokenProof{ID: token.ID[:], Secret: token.Secret}))
	}
	for _, output := range outputs {
		for _, needle := range needles {
			if strings.Contains(output, needle) {
				t.Errorf("%q shows the secret (%q)", output, needle)
			}
		}
	}
}
