package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// samples are the runs of one program.
type samples struct{ nanoseconds, kibibytes []int64 }

func (s *samples) milliseconds() float64 { return float64(median(s.nanoseconds)) / 1e6 }
func (s *samples) mebibytes() float64    { return float64(median(s.kibibytes)) / 1024 }

// alternate runs the commands in turn, with up to three extra runs first to fill the page cache.
func alternate(runs int, commands [][]string) ([]samples, error) {
	counted := make([]samples, len(commands))
	first := min(3, runs-1)
	for i := range first + runs {
		for c, command := range commands {
			wall, peak, err := once(numbered(command, i))
			if err != nil {
				return nil, err
			}
			if i >= first {
				counted[c].nanoseconds = append(counted[c].nanoseconds, wall)
				counted[c].kibibytes = append(counted[c].kibibytes, peak)
			}
		}
	}
	return counted, nil
}

// once returns nanoseconds and KiB of one run. The kernel reports the peak memory at the end of the
// process; that includes the memory of the parent before exec, so this program is kept small.
func once(command []string) (wall, peak int64, err error) {
	r, err := output(command, io.Discard)
	if err != nil {
		return 0, 0, err
	}
	if r.bytes == 0 {
		return 0, 0, errors.New(strings.Join(command, " ") + ": printed nothing")
	}
	peak, err = peakOf(r.state)
	return r.wall.Nanoseconds(), peak, err
}

// said runs a command and returns the number that it prints.
func said(command []string) (float64, error) {
	var out strings.Builder
	if _, err := output(numbered(command, int(time.Now().UnixNano())), &out); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(out.String()), 64)
}

// result is the cost of a process.
type result struct {
	wall  time.Duration // from before the fork to the end
	bytes int64         // of standard output
	state *os.ProcessState
}

// output runs a command and reads its standard output through a pipe, as an SDK runs a credential
// process. Its standard error is shown if it fails.
func output(command []string, to io.Writer) (result, error) {
	words, err := os.CreateTemp("", "measure")
	if err != nil {
		return result{}, err
	}
	defer words.Close()
	if err := os.Remove(words.Name()); err != nil {
		return result{}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return result{}, err
	}
	defer r.Close()
	start := time.Now()
	process, err := os.StartProcess(command[0], command, &os.ProcAttr{Files: []*os.File{nil, w, words}})
	w.Close()
	if err != nil {
		return result{}, err
	}
	n, copyErr := io.Copy(to, r)
	state, err := process.Wait()
	wall := time.Since(start)
	if err = errors.Join(err, copyErr); err != nil {
		return result{}, err
	}
	if !state.Success() {
		_, err = io.Copy(os.Stderr, io.NewSectionReader(words, 0, 1<<20))
		return result{}, errors.Join(errors.New(strings.Join(command, " ")+": "+state.String()), err)
	}
	return result{wall, n, state}, nil
}

// numbered replaces {} by n.
func numbered(command []string, n int) []string {
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = strings.ReplaceAll(word, "{}", strconv.Itoa(n))
	}
	return words
}
