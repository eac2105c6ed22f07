package pemread

import (
	"bytes"
	"encoding/base64"
)

// DefaultMaxSize is how many bytes of input are read unless Options say otherwise: a
// thousand certificates of a usual size.
const DefaultMaxSize = 1 << 20

// Options bound what is read. The zero value is ready to use.
type Options struct {
	MaxSize int // bytes of input; 0: DefaultMaxSize

	// Skip reports whether the content of a PEM block with this label is of no use to the
	// caller. It is not decoded then, so that damage in it does no harm: a broken key beside a
	// certificate. Nil: all are decoded.
	Skip func(label string) bool

	// NoUTF16 has UTF-16 named rather than read, for what other programs read as well, which
	// would not understand it.
	NoUTF16 bool
}

// Block is one thing that the input holds.
type Block struct {
	Label   string            // of PEM, such as "CERTIFICATE"; empty for DER and bare base64
	Headers map[string]string // of RFC 1421, such as "DEK-Info"; nil without them
	Kind    Kind              // by the content, and by the label where that does not tell

	// DER is the content: for most labels DER, of a "TRUSTED CERTIFICATE" the certificate
	// without the trust settings that OpenSSL puts after it. It is nil for what Skip named and
	// for blocks that are not base64 alone (PGP and SSH2).
	DER []byte
}

// Blocks returns what the input holds, in its order: at least one block if the error is nil.
// Each error is an *Error.
func Blocks(data []byte, o Options) ([]Block, error) {
	limit := o.MaxSize
	if limit <= 0 {
		limit = DefaultMaxSize
	}
	if len(data) > limit {
		return nil, fail(TooLarge, "it has more than %d KB", limit/1024)
	}
	if isDER(data) {
		return derBlocks(data)
	}
	text, err := plainText(data, o.NoUTF16)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fail(Empty, "it is empty")
	}
	if bytes.Contains(text, []byte(beginMark)) {
		return pemBlocks(text, o)
	}
	if inner, ok := bareBase64(text); ok {
		if isDER(inner) {
			return derBlocks(inner)
		}
		inner = bytes.TrimPrefix(inner, []byte(mark))
		if bytes.Contains(inner, []byte(beginMark)) {
			return pemBlocks(inner, o)
		}
	}
	return nil, describe(text)
}

// bareBase64 decodes text that is base64 from end to end.
func bareBase64(text []byte) ([]byte, bool) {
	der, err := decode(bytes.Trim(bytes.TrimSpace(text), `"'`))
	return der, err == nil && len(der) > 0
}

// decode decodes base64, whatever white space is in it and whether it is padded or not. The
// error is an *Error that lacks the name of the block; see decodeBlock.
func decode(text []byte) ([]byte, error) {
	digits, err := digitsOf(unescape(text))
	if err != nil {
		return nil, err
	}
	digits = bytes.TrimRight(digits, "=")
	if i := bytes.IndexByte(digits, '='); i >= 0 {
		return nil, fail(Damaged, "has something behind the = that ends base64")
	}
	der := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	n, err := base64.RawStdEncoding.Decode(der, digits)
	if err != nil { // only the length can be wrong
		return nil, fail(Cut, "is cut short or lacks a character: base64 cannot end there")
	}
	return der[:n], nil
}
