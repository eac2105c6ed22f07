package cadir

import (
	"fmt"
	"io"

	"kedge/signer"
)

// ReadInput reads a file with certificates or a request, or standard input for "-".
func ReadInput(path string, stdin io.Reader) ([]byte, error) {
	if path != "-" {
		return signer.File(path).Read()
	}
	data, err := io.ReadAll(io.LimitReader(stdin, signer.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return signer.Bytes("standard input", data).Read()
}
