package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// server is a kedge-ca serve, which is started again at the address that it had first.
type server struct {
	address string
	cmd     *exec.Cmd
}

// start starts a server, and returns when it serves.
func (r *rehearsal) start(s *server) error {
	listen := s.address
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	s.cmd = exec.Command(r.ca, "serve", "--dir", r.path("ca"), "--listen", listen)
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
		if _, rest, ok := strings.Cut(line, "msg=serving addresses="); ok {
			address, _, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]")
			if !ok {
				return errors.New("the server says no address: " + line)
			}
			s.address = address
			go func() { _, _ = io.Copy(io.Discard, lines) }() // until it is killed
			return nil
		}
	}
}

// kill ends a server at once.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
