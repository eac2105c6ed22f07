//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// service is kedge-emulator, which is stopped and restarted.
type service struct {
	*soak
	address string
	exports map[string]string
	faults  atomic.Int64 // faults met by requests, and outages

	mu   sync.Mutex
	cmd  *exec.Cmd // nil: not running
	gone chan error
}

func newService(s *soak) (*service, error) {
	v := &service{soak: s}
	var err error
	if v.address, err = freeAddress(); err != nil {
		return nil, err
	}
	return v, v.start()
}

// freeAddress returns a port outside the range of ephemeral ports.
func freeAddress() (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.N(10000)))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", errors.New("no free port was found")
}

func (v *service) url() string { return "http://" + v.address }

// start starts the emulator, and returns when it is ready. Sessions survive a restart.
func (v *service) start() error {
	cmd := exec.Command(v.program("kedge-emulator"), "--trust-anchor", v.path("ca/ca.pem"), "--state", v.path("state"), "--listen", v.address,
		"--fault", v.short()+"*3") // until the script is queued
	ready, stdout := io.Pipe()
	cmd.Stdout = stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan error, 1)
	go func() {
		read := v.read(stderr)
		err := cmd.Wait()
		stdout.Close()
		gone <- errors.Join(read, err)
	}()
	exports := readExports(ready, "AWS_DEFAULT_REGION")
	if exports == nil {
		return fmt.Errorf("kedge-emulator did not start: %w", <-gone)
	}
	v.mu.Lock()
	v.cmd, v.gone, v.exports = cmd, gone, exports
	v.mu.Unlock()
	return v.inject(v.script())
}

// readExports reads lines as "export NAME=VALUE" until one of that name, and discards the rest.
func readExports(r io.Reader, last string) map[string]string {
	exports := map[string]string{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		exports[name] = strings.Trim(value, "'")
		if name == last {
			go io.Copy(io.Discard, r)
			return exports
		}
	}
	return nil
}

// read follows the log of the emulator, to its end. It tells the judge which sessions kedge
// received, and fails if a request of kedge was refused.
func (v *service) read(log io.Reader) error {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		_, line, _ := strings.Cut(lines.Text(), " ") // the time
		if rest, ok := strings.CutPrefix(line, "CreateSession"); ok {
			if err := v.met(rest); err != nil {
				v.judge.fail(err)
				_, _ = io.Copy(io.Discard, log)
				return err
			}
		}
		if text, failed := strings.CutPrefix(line, "error: "); failed {
			return errors.New(text)
		}
	}
	return lines.Err()
}

// met is one CreateSession in the log: " 201 ARN, source identity …, until TIME (fault short=…)" for a
// session, " (fault …)" for another answer.
func (v *service) met(line string) error {
	short := strings.Contains(line, "(fault short=")
	if strings.Contains(line, "(fault ") && !short {
		v.faults.Add(1)
		return nil
	}
	if !short {
		if v.judge.trusts() {
			return errors.New("the emulator refused what kedge asked for:" + line)
		}
		return nil // a request that was cut off when the emulator was stopped
	}
	arn, _, _ := strings.Cut(line, ",")
	_, end, _ := strings.Cut(line, " until ")
	end, _, _ = strings.Cut(end, " ")
	expires, err := time.Parse(time.RFC3339, end)
	if err != nil {
		return err
	}
	if serial := arn[strings.LastIndexByte(arn, '/')+1:]; !v.files.may(serial) {
		return fmt.Errorf("kedge signed with the certificate %s, which was replaced", serial)
	}
	v.judge.delivered(time.Now(), expires)
	return nil
}

// stop stops the emulator, if it is running.
func (v *service) stop() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd == nil {
		return nil
	}
	_ = v.cmd.Process.Signal(syscall.SIGCONT)
	err := v.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case gone := <-v.gone:
		err = errors.Join(err, gone)
	case <-time.After(time.Minute):
		err = errors.Join(errors.New("kedge-emulator does not end"), v.cmd.Process.Kill())
	}
	v.cmd = nil
	if err != nil {
		return fmt.Errorf("kedge-emulator: %w", err)
	}
	return nil
}

// signal sends one to the emulator.
func (v *service) signal(s os.Signal) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cmd.Process.Signal(s)
}
