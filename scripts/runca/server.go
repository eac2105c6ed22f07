package runca

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Server is a kedge-ca serve, which is started again at the addresses that it had first. Its methods
// are not safe for concurrent use.
type Server struct {
	Program, Dir string // kedge-ca, and the folder of the CA
	Address      string // for hosts; set by Start
	Metrics      string // for Prometheus, likewise

	cmd *exec.Cmd
}

// Start starts the server, and returns when it serves.
func (s *Server) Start() error {
	const free = "127.0.0.1:0"
	listen, metrics := s.Address, s.Metrics
	if listen == "" {
		listen, metrics = free, free
	}
	s.cmd = exec.Command(s.Program, "serve", "--dir", s.Dir, "--listen", listen, "--metrics", metrics)
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(log)
	var said strings.Builder
	for {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			_ = s.cmd.Wait()
			return fmt.Errorf("the server ended:\n%s", &said)
		}
		if !strings.Contains(line, "msg=serving ") {
			continue
		}
		s.Address, s.Metrics = field(line, "addresses"), field(line, "metrics")
		if s.Address == "" || s.Metrics == "" {
			return errors.New("the server says no address: " + line)
		}
		go func() { _, _ = io.Copy(io.Discard, lines) }() // until it has ended
		return nil
	}
}

// field returns the only address of a list in a line of the log.
func field(line, key string) string {
	_, rest, _ := strings.Cut(line, " "+key+"=[")
	address, _, _ := strings.Cut(rest, "]")
	return address
}

// PID is that of the process, which runs.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Kill ends the server at once.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
