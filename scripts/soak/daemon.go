//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// daemon is kedge serve.
type daemon struct {
	*soak
	cmd     *exec.Cmd
	exports map[string]string
	metrics string // URL
	ended   chan error
	over    bool
}

func startDaemon(s *soak) (*daemon, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	to := s.service.exports
	d := &daemon{soak: s, metrics: "http://" + address + "/metrics", ended: make(chan error, 1)}
	d.cmd = exec.Command(s.program("kedge"), "serve", "--config", os.DevNull, "--port", "0", "--token-file", s.path("token"), "--metrics-address", address,
		"--certificate", s.path("leaf.pem"), "--private-key", s.path("leaf.key"), "--endpoint", s.service.url(), "--timeout", "10s",
		"--trust-anchor-arn", to["KEDGE_TRUST_ANCHOR_ARN"], "--profile-arn", to["KEDGE_PROFILE_ARN"], "--role-arn", to["KEDGE_ROLE_ARN"])
	log, err := os.Create(s.path("kedge.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	d.cmd.Stderr = log
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	d.exports = readExports(stdout, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	go func() { d.ended <- d.cmd.Wait() }()
	if d.exports == nil {
		return nil, fmt.Errorf("kedge serve did not start: %w\n%s", <-d.ended, d.lastWords())
	}
	return d, nil
}

func (d *daemon) lastWords() string {
	data, _ := os.ReadFile(d.path("kedge.log"))
	return string(data[max(0, len(data)-4000):])
}

// clients returns clients of both endpoints, with connections that stay open and some that do not.
func (d *daemon) clients(j *judge) []*client {
	var all []*client
	for i := range 12 {
		c := &client{judge: j, metadata: d.exports["AWS_EC2_METADATA_SERVICE_ENDPOINT"], tokenFile: d.path("token")}
		if i%2 == 0 {
			c.container = d.exports["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
		}
		c.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: i < 2}}
		c.rest = 2 * time.Millisecond
		if i < 2 {
			c.rest *= 10
		}
		all = append(all, c)
	}
	return all
}

// awaitIdle waits for the first credentials, and returns the resources that kedge serve uses
// without load.
func (d *daemon) awaitIdle(ctx context.Context) (sample, error) {
	for deadline := time.Now().Add(time.Minute); ; {
		m, err := d.sample(ctx)
		if err == nil && m.renewals > 0 {
			return m, nil
		}
		if time.Now().After(deadline) {
			return m, errors.Join(errors.New("kedge serve has no credentials after a minute"), err)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return m, cause(ctx)
		}
	}
}

// awaitQuiet waits until kedge serve uses as much as before there was load.
func (d *daemon) awaitQuiet(ctx context.Context, quiet sample) error {
	const more = 4 // a request to the endpoint may be in progress
	for deadline := time.Now().Add(30 * time.Second); ; {
		m, err := d.sample(ctx)
		if err == nil && m.goroutines <= quiet.goroutines+more && m.files <= quiet.files+more {
			d.table.printQuiet(quiet, m)
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("without load there are %d goroutines and %d descriptors; before there were %d and %d", m.goroutines, m.files, quiet.goroutines, quiet.files), err)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return cause(ctx)
		}
	}
}

// terminate sends SIGTERM; kedge serve must end with status 0, and remove the token.
func (d *daemon) terminate() error {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("kedge serve ended by itself: %w", err)
	}
	select {
	case err := <-d.ended:
		d.over = true
		if err != nil {
			return fmt.Errorf("kedge serve after SIGTERM: %w", err)
		}
	case <-time.After(30 * time.Second):
		return errors.New("kedge serve has not ended 30 s after SIGTERM")
	}
	if _, err := os.Stat(d.path("token")); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("kedge serve left the file of its token")
	}
	return nil
}

// kill kills it.
func (d *daemon) kill() {
	if !d.over {
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
}

// checkLog checks that the log has no secrets, and that its length matches the number of events.
func (d *daemon) checkLog(secrets []string, events int64) error {
	data, err := os.ReadFile(d.path("kedge.log"))
	if err != nil {
		return err
	}
	for _, secret := range secrets {
		if strings.Contains(string(data), secret) {
			return errors.New("there is a secret in the log of kedge serve")
		}
	}
	if lines := int64(strings.Count(string(data), "\n")); lines > 20+8*events {
		return fmt.Errorf("the log of kedge serve has %d lines for %d events", lines, events)
	}
	return nil
}
