package pemread

import (
	"bytes"
	"strings"
)

const (
	beginMark = "-----BEGIN "
	endMark   = "-----END "
	dashes    = "-----"
)

// maxLabel bounds a label, which is quoted in errors. The longest in use has 26 characters.
const maxLabel = 64

// pemBlocks reads every block of PEM. Text around them is skipped, as RFC 7468, 2 asks.
func pemBlocks(text []byte, o Options) ([]Block, error) {
	var blocks []Block
	for {
		label, body, rest, err := cutBlock(text)
		if err != nil {
			return nil, err
		}
		if label == "" {
			return blocks, nil
		}
		b := Block{Label: label}
		if !isArmor(label) && (o.Skip == nil || !o.Skip(label)) {
			if err := b.read(body); err != nil {
				return nil, err
			}
		}
		b.Kind = b.kind()
		blocks = append(blocks, b)
		text = rest
	}
}

// isArmor reports whether blocks of a label look like PEM but hold more than base64: a
// checksum, or headers of their own.
func isArmor(label string) bool {
	return strings.HasPrefix(label, "PGP ") || strings.HasPrefix(label, "SSH2 ")
}

// cutBlock finds the first block and what follows it. There is none when the label is empty.
func cutBlock(text []byte) (label string, body, rest []byte, err error) {
	_, text, ok := bytes.Cut(text, []byte(beginMark))
	if !ok {
		return "", nil, nil, nil
	}
	name, text, ok := bytes.Cut(text, []byte(dashes))
	label = string(bytes.TrimSpace(name))
	if !ok || len(name) > maxLabel || label == "" || !isPrintable(label) {
		return "", nil, nil, fail(Damaged, "a line BEGIN in it does not end with five hyphens after the label")
	}
	body, text, ok = bytes.Cut(text, []byte(dashes))
	if !ok || !bytes.HasPrefix(text, []byte(endMark[len(dashes):])) {
		return "", nil, nil, fail(Cut, "it is cut off: there is a line BEGIN %s without its END %s", label, label)
	}
	name, rest, ok = bytes.Cut(text[len(endMark)-len(dashes):], []byte(dashes))
	if !ok || len(name) > maxLabel {
		return "", nil, nil, fail(Cut, "it is cut off: the line END after BEGIN %s does not end with five hyphens", label)
	}
	if end := string(bytes.TrimSpace(name)); end != label {
		return "", nil, nil, fail(Damaged, "what begins with BEGIN %s in it ends with END %q", label, end)
	}
	return label, body, rest, nil
}

func isPrintable(label string) bool {
	return !strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r > '~' })
}

// read decodes the body of a block.
func (b *Block) read(body []byte) error {
	var content []byte
	b.Headers, content = cutHeaders(unescape(body))
	der, err := decode(content)
	if wrong, ok := err.(*Error); ok {
		return fail(wrong.Reason, "the block %s in it %s", b.Label, wrong.text)
	}
	if len(der) == 0 {
		return fail(Damaged, "the block %s in it is empty", b.Label)
	}
	if b.Headers == nil && der[0] == tagSequence && b.Label != "OPENSSH PRIVATE KEY" {
		if der, err = whole(der, b.Label); err != nil {
			return err
		}
	}
	b.DER = der
	return nil
}

// whole returns the one element that a block must hold, without what follows it.
func whole(der []byte, label string) ([]byte, error) {
	if isIndefinite(der) {
		return der, nil
	}
	e, rest, ok := next(der)
	switch {
	case !ok:
		return nil, fail(Cut, "the block %s in it is cut short: lines are missing", label)
	case label != "TRUSTED CERTIFICATE" && isMore(rest):
		return nil, fail(Damaged, "the block %s in it has %d bytes after its end", label, len(rest))
	}
	return e.full, nil
}

// cutHeaders takes the headers of RFC 1421, 4.6 off a body: lines with a colon, up to an
// empty line or the first without one.
func cutHeaders(body []byte) (map[string]string, []byte) {
	if !bytes.Contains(body, []byte(":")) {
		return nil, body
	}
	var headers map[string]string
	rest := bytes.TrimSpace(body)
	for len(rest) > 0 {
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			end = len(rest)
		}
		name, value, ok := strings.Cut(string(rest[:end]), ":")
		if !ok {
			break
		}
		if headers == nil {
			headers = map[string]string{}
		}
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		rest = bytes.TrimLeft(rest[end:], "\r\n \t")
	}
	return headers, rest
}
