package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"kedge/scripts/runca"
)

// maxTries is how often a command is repeated at most. Servers are down for a part of the time only.
const maxTries = 500

// hosts lets one host after the other come and go, until it is over.
func (r *rehearsal) hosts(worker int) error {
	for i := 0; ; i++ {
		select {
		case <-r.over:
			return nil
		default:
			if err := r.host(fmt.Sprintf("host-%d-%d", worker, i), r.servers[(worker+i)%len(r.servers)]); err != nil {
				return err
			}
		}
	}
}

// host is the life of one: it enrolls, renews twice and, if it is one of every other, unenrolls.
func (r *rehearsal) host(name string, s *runca.Server) error {
	token, err := runca.Output(r.ca, "token", name, "--dir", r.path("ca"), "--url", "https://"+s.Address, "--ttl", "8h")
	if err != nil {
		return err
	}
	file, dir := r.path(name+".token"), r.path(name)
	if err := os.WriteFile(file, token, 0o600); err != nil {
		return err
	}
	if err := r.repeat(name, "enroll", "--token-file", file, "--dir", dir, "--no-check"); err != nil {
		return err
	}
	for range 2 {
		if err := r.repeat(name, "renew", "--dir", dir, "--force"); err != nil {
			return err
		}
	}
	if strings.HasSuffix(name, "1") {
		return r.repeat(name, "unenroll", "--dir", dir, "--yes")
	}
	return nil
}

// repeat runs a command of kedge until it succeeds, and notes the certificate that the host has then.
func (r *rehearsal) repeat(name string, args ...string) error {
	for range maxTries {
		_, err := runca.Output(r.kedge, args...)
		if err == nil {
			return r.note(name)
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
			return err // the server has refused, which is wrong
		}
		r.mutex.Lock()
		r.repeated++
		r.mutex.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("kedge %s does not succeed", strings.Join(args, " "))
}

// note adds the certificate of a host to what it got, unless it has none any more.
func (r *rehearsal) note(name string) error {
	data, err := os.ReadFile(r.path(name + "/current/leaf.pem"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return fmt.Errorf("the certificate of %s is not PEM", name)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.serials[name] = append(r.serials[name], hex.EncodeToString(cert.SerialNumber.Bytes()))
	return nil
}
