package testenv

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"unicode/utf16"
)

// Encoding is a way in which people have what is PEM or DER.
type Encoding struct {
	Name string
	// Of returns the file of one block; nil where there is none of that label.
	Of func(label string, der []byte) []byte
	// Refused is a part of what is said of the file; empty where it is read.
	Refused string
}

// Encodings returns those that are read, and those that are refused with words about them.
func Encodings() []Encoding {
	return append(readable(), refused()...)
}

func readable() []Encoding {
	text := func(change func(string) string) func(string, []byte) []byte {
		return func(label string, der []byte) []byte { return []byte(change(pemText(label, der))) }
	}
	replace := func(old, with string) func(string, []byte) []byte {
		return text(func(s string) string { return strings.ReplaceAll(s, old, with) })
	}
	return []Encoding{
		{"PEM", text(func(s string) string { return s }), ""},
		{"byte order mark", text(func(s string) string { return "\ufeff" + s }), ""},
		{"CRLF", replace("\n", "\r\n"), ""},
		{"CR", replace("\n", "\r"), ""},
		{"indented", text(func(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }), ""},
		{"one line", replace("\n", ""), ""},
		{"spaces for lines", replace("\n", " "), ""},
		{"joined", text(func(s string) string { return strings.TrimSuffix(pemText("EC PARAMETERS", []byte{6, 1, 42}), "\n") + s }), ""},
		{"text around", text(func(s string) string { return "Bag Attributes\n    friendlyName: x\n" + s + "# the end\n" }), ""},
		{"no line at the end", text(func(s string) string { return strings.TrimSuffix(s, "\n") }), ""},
		{"trusted", trusted, ""},
		{"DER", func(_ string, der []byte) []byte { return der }, ""},
		{"DER with zeros", func(_ string, der []byte) []byte { return append(bytes.Clone(der), 0, 0, 0) }, ""},
		{"base64 of PEM", text(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) + "\n" }), ""},
		{"base64 of DER", func(_ string, der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der)) }, ""},
	}
}

func refused() []Encoding {
	constant := func(content string) func(string, []byte) []byte {
		return func(string, []byte) []byte { return []byte(content) }
	}
	return []Encoding{
		{"UTF-16", func(label string, der []byte) []byte { return wide("\ufeff" + pemText(label, der)) }, "it is UTF-16 text; save it as UTF-8"},
		{"UTF-16 without a mark", func(label string, der []byte) []byte { return wide(pemText(label, der)) }, "it is UTF-16 text; save it as UTF-8"},
		{"empty", constant(""), "it is empty"},
		{"blank", constant(" \r\n\t\n"), "it is empty"},
		{"web page", constant("<!DOCTYPE html><html></html>"), "it is an HTML page"},
		{"JSON", constant(`{"error": "not found"}`), "it is JSON"},
		{"PuTTY", constant("PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\n"), "it is a PuTTY key"},
		{"SSH", constant("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here\n"), "it is an OpenSSH public key"},
		{"gzip", constant("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), "it is compressed with gzip"},
		{"words", constant("Dear certificate,\n"), "it is neither PEM nor DER nor base64 of them"},
		{"cut", func(label string, der []byte) []byte { s := pemText(label, der); return []byte(s[:len(s)-30]) }, "cut"},
		{"cut DER", func(_ string, der []byte) []byte { return der[:len(der)-9] }, "cut short"},
	}
}

func pemText(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// trusted is what "openssl x509 -trustout -addtrust clientAuth" writes.
func trusted(label string, der []byte) []byte {
	if label != "CERTIFICATE" {
		return nil
	}
	settings := []byte{0x30, 0x0c, 0x30, 0x0a, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2}
	return []byte(pemText("TRUSTED CERTIFICATE", append(bytes.Clone(der), settings...)))
}

// wide is text in UTF-16, as PowerShell writes it.
func wide(text string) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}
