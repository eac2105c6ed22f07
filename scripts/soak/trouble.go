//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// arrival bounds the time that a request that waited while the emulator was stopped needs to
// finish.
const arrival = 5 * time.Second

// faults are faults of the emulator. A real session that is not short must not be delivered:
// nothing would be renewed for half an hour.
func faults() []string {
	return []string{
		"throttle*3", "throttle*9", "status=500*3", "status=503*9", "cut*3", "cut=body*4", "delay=1m*1", "delay=1m*2",
		"html", "html=502*3", "body", `body={"credentialSet":[{}]}*2`, "body={", "huge=10000000*2", "endless", "redirect",
		"wrong-role", "two-sets", "no-sets*2", "expired", "remove=credentialSet.0.credentials.sessionToken",
		"remove=credentialSet.0.credentials.expiration", `set=credentialSet.0.credentials.secretAccessKey=""`,
		`set=credentialSet.0.credentials.expiration="soon"`,
	}
}

// short returns the fault that gives a session the right length: kedge renews it at half.
func (s *soak) short() string { return "short=" + (early + 2*s.refresh).String() }

// script returns what the next requests get: sessions, and before every third of them, faults.
func (s *soak) script() []string {
	var script []string
	for range 50 {
		if rand.N(3) == 0 {
			all := faults()
			script = append(script, all[rand.N(len(all))])
		}
		script = append(script, s.short())
	}
	return append(script, s.short()+"*1000000")
}

// trouble stops the emulator, or ends it and starts another one, repeatedly. Every third outage is
// so long that the credentials expire. A new emulator has its own queue of faults.
func (v *service) trouble(ctx context.Context, refresh time.Duration) error {
	next := refresh/2 + rand.N(refresh/2)
	for n := 0; pause(ctx, next); n++ {
		v.faults.Add(1)
		v.judge.distrust(time.Now().Add(time.Hour))
		var err error
		switch away := refresh/4 + rand.N(refresh-refresh/4); {
		case n%3 == 1:
			err = v.down(ctx, 2*refresh+away)
		case rand.N(2) == 0:
			err = v.down(ctx, away)
		default:
			err = v.hang(ctx, away)
		}
		if err != nil {
			return err
		}
		v.judge.distrust(time.Now().Add(arrival))
		next = refresh + rand.N(2*refresh)
	}
	return nil
}

// down ends the emulator: connections are refused.
func (v *service) down(ctx context.Context, d time.Duration) error {
	err := v.stop()
	pause(ctx, d)
	return errors.Join(err, v.start())
}

// hang stops the emulator: it accepts connections, and does not answer.
func (v *service) hang(ctx context.Context, d time.Duration) error {
	err := v.signal(syscall.SIGSTOP)
	pause(ctx, d)
	return errors.Join(err, v.signal(syscall.SIGCONT))
}

// inject gives the running emulator more faults, through its control interface.
func (v *service) inject(faults []string) error {
	response, err := http.Post(v.url()+"/_emulator/faults", "text/plain", strings.NewReader(strings.Join(faults, "\n")))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the emulator does not take faults: %s", response.Status)
	}
	return nil
}
