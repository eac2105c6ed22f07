// Package policyhook asks a program of the operator whether a host gets a certificate.
//
// The program is started for each request that the policy of a profile allows. It gets an
// enroll.Question as JSON on standard input, and answers on standard output, with exit code 0:
//
//	{"allow": true}
//	{"allow": true, "lifetime": "8h", "reason": "not yet in the inventory"}
//	{"allow": false, "reason": "not in the inventory"}
//
// It fails closed: a program that cannot be started or ends otherwise, takes too long, or answers
// with anything else, unknown fields included, has given no answer. It has no environment but PATH,
// no shell is between, and it must be a file that root and the user of this process alone can change.
package policyhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/enroll"
	"kedge/internal/safefile"
)

const (
	// maxRunning is how many of the programs run at a time; other requests wait, within their timeout.
	maxRunning = 16
	maxAnswer  = 64 << 10
	maxStderr  = 1 << 10 // that is logged
	// pipeTime is how long after its end the program's pipes may stay open.
	pipeTime = time.Second
	// shortest is the shortest lifetime that a hook can give.
	shortest = time.Minute
)

// Program is a policy hook. It is safe for concurrent use.
type Program struct {
	command []string
	timeout time.Duration
	running chan struct{}
}

// New returns the hook of a command, the first part of which is the path of the program. Errors are
// *safefile.UnsafeError and those of package os.
func New(command []string, timeout time.Duration) (*Program, error) {
	if len(command) == 0 {
		return nil, errors.New("a policy hook needs a command")
	}
	if err := safefile.CheckProgram(command[0]); err != nil {
		return nil, err
	}
	return &Program{command, timeout, make(chan struct{}, maxRunning)}, nil
}

// Ask is an enroll.Hook.
func (p *Program) Ask(ctx context.Context, q enroll.Question) (enroll.Ruling, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	r, err := p.ask(ctx, q)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("no answer within %v", p.timeout)
	}
	if err != nil {
		return enroll.Ruling{}, fmt.Errorf("the policy hook %s: %w", p.command[0], err)
	}
	return r, nil
}

func (p *Program) ask(ctx context.Context, q enroll.Question) (enroll.Ruling, error) {
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	case <-ctx.Done():
		return enroll.Ruling{}, ctx.Err()
	}
	if err := safefile.CheckProgram(p.command[0]); err != nil { // as it is now
		return enroll.Ruling{}, err
	}
	input, err := json.Marshal(q)
	if err != nil {
		return enroll.Ruling{}, err
	}
	output, err := p.run(ctx, input)
	if err != nil {
		return enroll.Ruling{}, err
	}
	return parse(output)
}

// run runs the program.
func (p *Program) run(ctx context.Context, input []byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	out, words := &limited{left: maxAnswer}, &limited{left: maxStderr}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), out, words
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, "/", pipeTime
	ownGroup(cmd)
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(words.kept.String()); text != "" {
			err = fmt.Errorf("%w: %q", err, text)
		}
		return nil, err
	}
	if out.cut {
		return nil, fmt.Errorf("its answer has more than %d bytes", maxAnswer)
	}
	return out.kept.Bytes(), nil
}

// limited is a buffer that drops what is too much: the program must not wait for a reader.
type limited struct {
	kept bytes.Buffer
	left int
	cut  bool
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.cut = l.cut || n < len(p)
	l.left -= n
	_, _ = l.kept.Write(p[:n])
	return len(p), nil
}

// answer is what a program prints.
type answer struct {
	Allow    *bool       `json:"allow"`
	Reason   string      `json:"reason"`
	Lifetime ca.Duration `json:"lifetime"`
}

// parse reads an answer. A field that is unknown could be a condition that would be lost.
func parse(output []byte) (enroll.Ruling, error) {
	var a answer
	d := json.NewDecoder(bytes.NewReader(output))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return enroll.Ruling{}, fmt.Errorf("its answer is not {\"allow\": true or false, \"reason\": TEXT, \"lifetime\": \"8h\"}: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return enroll.Ruling{}, errors.New("there is more behind its answer")
	}
	lifetime := time.Duration(a.Lifetime)
	switch {
	case a.Allow == nil:
		return enroll.Ruling{}, errors.New("its answer has no allow")
	case lifetime != 0 && lifetime < shortest:
		return enroll.Ruling{}, fmt.Errorf("its lifetime of %v is less than %v", lifetime, shortest)
	}
	return enroll.Ruling{Allow: *a.Allow, Reason: a.Reason, Lifetime: lifetime}, nil
}
