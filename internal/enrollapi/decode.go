package enrollapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// maxAnswer bounds an answer, in bytes: with certificates of ML-DSA it is larger than a request.
const maxAnswer = 1 << 20

// Decode reads a request of at most MaxBody bytes, one JSON object, into a message of this package. The
// error is an *Error for the sender if the bytes are at fault, otherwise that of the reader.
func Decode(from io.Reader, into any) error { return decode(from, MaxBody, into) }

// DecodeAnswer is Decode for an answer, which may be larger.
func DecodeAnswer(from io.Reader, into any) error { return decode(from, maxAnswer, into) }

func decode(from io.Reader, limit int, into any) error {
	data, err := io.ReadAll(io.LimitReader(from, int64(limit)+1))
	if err != nil {
		return err
	}
	if len(data) > limit {
		return &Error{Code: TooLarge, Message: fmt.Sprintf("the body has more than %d bytes", limit)}
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(data, into) != nil {
		return &Error{Code: BadRequest, Message: "the body must be one JSON object whose fields have the types of the API"}
	}
	return nil
}
