package tpm

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// URI names a key, its TPM, and where its auth values come from:
//
//	tpm:file=/etc/kedge/host.tss2.pem?auth-source=file:/etc/kedge/host.auth
//	tpm:device=/dev/tpmrm0;handle=0x81000010
//
// It is built as a PKCS #11 URI is (RFC 7512): attributes of the key come before the question
// mark, separated by semicolons, and what is needed to use it after, separated by
// ampersands; any byte may be written as %XX. "handle:0x81000010" is short for
// "tpm:handle=0x81000010".
//
// The sources are kept as they are written: their language is the caller's. There is no
// attribute for an auth value itself, since command lines and configurations are read by
// others.
type URI struct {
	Device string // device: as Config.Device; empty: the system's
	File   string // file: the path of a TSS2 key file
	Handle uint32 // handle: persistent, in hexadecimal; 0: none

	KeyAuth    string // auth-source: the auth value of the key
	ParentAuth string // parent-auth-source: that of a persistent parent
	OwnerAuth  string // owner-auth-source: that of the hierarchy of the parent
}

// attribute is one field of a URI.
type attribute struct {
	name   string
	needed bool // comes after the question mark
	value  string
	set    func(string) error
}

func (u *URI) attributes() []attribute {
	text := func(name string, needed bool, to *string) attribute {
		return attribute{name, needed, *to, func(v string) error { *to = v; return nil }}
	}
	handle := ""
	if u.Handle != 0 {
		handle = fmt.Sprintf("0x%x", u.Handle)
	}
	return []attribute{
		{"device", false, u.Device, u.setDevice},
		text("file", false, &u.File),
		{"handle", false, handle, u.setHandle},
		text("auth-source", true, &u.KeyAuth),
		text("parent-auth-source", true, &u.ParentAuth),
		text("owner-auth-source", true, &u.OwnerAuth),
	}
}

func (u *URI) setDevice(s string) error {
	if _, err := parseAddress(s); err != nil {
		return err
	}
	u.Device = s
	return nil
}

func (u *URI) setHandle(s string) error {
	digits, hex := strings.CutPrefix(s, "0x")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !hex || err != nil || n>>24 != 0x81 {
		return fmt.Errorf("handle %q is not persistent: those are 0x81000000 to 0x81ffffff", s)
	}
	u.Handle = uint32(n)
	return nil
}

// IsURI reports whether s has the form of a URI of a key in a TPM.
func IsURI(s string) bool { return strings.HasPrefix(s, "tpm:") || strings.HasPrefix(s, "handle:") }

// ParseURI reads a URI. It names a file or a handle, or neither, where a key is yet to be made.
func ParseURI(s string) (URI, error) {
	var u URI
	var err error
	if handle, ok := strings.CutPrefix(s, "handle:"); ok {
		err = u.setHandle(handle)
	} else if rest, ok := strings.CutPrefix(s, "tpm:"); ok {
		err = u.parse(rest)
	} else {
		err = errors.New("it begins with \"tpm:\" or \"handle:\"")
	}
	if err == nil && u.File != "" && u.Handle != 0 {
		err = errors.New("a key is a file or a handle, not both")
	}
	if err != nil {
		return URI{}, fmt.Errorf("URI of a TPM key: %w", err)
	}
	return u, nil
}

func (u *URI) parse(s string) error {
	path, query, _ := strings.Cut(s, "?")
	seen := map[string]bool{}
	for i, part := range []string{path, query} {
		separator := []string{";", "&"}[i]
		for field := range strings.SplitSeq(part, separator) {
			if field == "" {
				continue
			}
			if err := u.field(field, i == 1, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *URI) field(field string, needed bool, seen map[string]bool) error {
	name, escaped, _ := strings.Cut(field, "=")
	value, err := url.PathUnescape(escaped)
	if err != nil {
		return fmt.Errorf("attribute %q: %w", name, err)
	}
	all := u.attributes()
	i := slices.IndexFunc(all, func(a attribute) bool { return a.name == name })
	switch {
	case name == "auth-value" || name == "auth":
		return errors.New("an auth value cannot stand in it, where others read it; auth-source says where it is")
	case i < 0:
		return fmt.Errorf("unknown attribute %q", name)
	case seen[name]:
		return fmt.Errorf("attribute %q is given twice", name)
	case value == "":
		return fmt.Errorf("attribute %q has no value", name)
	case needed != all[i].needed && needed:
		return fmt.Errorf("attribute %q stands before the question mark", name)
	case needed != all[i].needed:
		return fmt.Errorf("attribute %q stands after the question mark", name)
	}
	seen[name] = true
	return all[i].set(value)
}

// String returns the URI in its usual form, which ParseURI reads as the same.
func (u URI) String() string {
	var parts [2][]string
	for _, a := range u.attributes() {
		if a.value == "" {
			continue
		}
		i := 0
		if a.needed {
			i = 1
		}
		parts[i] = append(parts[i], a.name+"="+escape(a.value))
	}
	s := "tpm:" + strings.Join(parts[0], ";")
	if len(parts[1]) > 0 {
		s += "?" + strings.Join(parts[1], "&")
	}
	return s
}

// escape writes as %XX what is not sure to be read as itself everywhere.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/:@,=", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
