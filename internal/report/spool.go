package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// spool holds output back until it is whole: in memory while it is small, then in a
// temporary file, which only this user can read.
type spool struct {
	memory bytes.Buffer
	file   *os.File
}

// maxInMemory is how many bytes of output are held in memory.
const maxInMemory = 1 << 20

func (s *spool) Write(p []byte) (int, error) {
	s.memory.Write(p)
	if s.memory.Len() < maxInMemory {
		return len(p), nil
	}
	if s.file == nil {
		file, err := os.CreateTemp("", "kedge-ca-*")
		if err != nil {
			return 0, fmt.Errorf("hold the output back: %w", err)
		}
		s.file = file
	}
	if _, err := s.memory.WriteTo(s.file); err != nil {
		return 0, fmt.Errorf("hold the output back: %w", err)
	}
	return len(p), nil
}

// WhenWhole gives out what write wrote, once that has returned, and nothing if it failed. Memory does
// not grow with the amount.
func WhenWhole(out io.Writer, write func(io.Writer) error) error {
	s := &spool{}
	defer s.discard()
	if err := write(s); err != nil {
		return err
	}
	return s.copyTo(out)
}

// copyTo writes all that was held back.
func (s *spool) copyTo(out io.Writer) error {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("hold the output back: %w", err)
		}
		if _, err := io.Copy(out, s.file); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	return Write(out, s.memory.Bytes())
}

// discard removes the temporary file.
func (s *spool) discard() {
	if s.file != nil {
		_ = errors.Join(s.file.Close(), os.Remove(s.file.Name())) // it holds nothing that is needed
		s.file = nil
	}
}
