package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"kedge/internal/enrollapi"
	"kedge/scripts/bench/rawclient"
	"kedge/scripts/bench/workload"
)

const (
	floorHosts       = 4000 // at most, that ask the floor
	floorConnections = 64
)

// getReady has each host make its first request.
func (r *rehearsal) getReady() error {
	_, err := workload.Run(len(r.hosts), func(i int) (err error) {
		h := r.hosts[i]
		h.ready, err = h.request(pin(r.root), time.Now().Add(h.skew))
		return err
	})
	return err
}

// floorRate returns how many renewals in a second the least server answers, on this machine and with
// this kind of database, with a handshake for each.
func (r *rehearsal) floorRate() (float64, error) {
	cmd := exec.Command(r.programs.floor, r.floorDatabase())
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the floor says no address: %w", err)
	}
	address = strings.TrimSpace(address)
	asking := r.hosts[:min(len(r.hosts), floorHosts)]
	var next atomic.Int64
	perConnection, err := workload.RunWith(floorConnections, floorConnections, func(int) error {
		c := &rawclient.Conn{TLS: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, Host: address,
			Dial: func() (net.Conn, error) { return net.Dial("tcp", address) }}
		defer c.Close()
		for i := next.Add(1) - 1; i < int64(len(asking)); i = next.Add(1) - 1 {
			answer, err := c.Post(enrollapi.PathRenew, asking[i].ready)
			if err == nil && answer.Status != http.StatusOK {
				err = fmt.Errorf("the floor: status %d: %s", answer.Status, answer.Body)
			}
			if err != nil {
				return err
			}
			c.Close()
		}
		return nil
	})
	return perConnection / floorConnections * float64(len(asking)), err
}
