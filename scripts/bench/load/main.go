// Command load reads credentials over 64 connections that stay open, from kedge serve and from its floor in
// turn, and prints rows of a Markdown table: requests in a second, the 99th percentile of the
// time one takes, and the memory of kedge at the end.
//
// usage: load ROUNDS REQUESTS PID URL TOKEN FLOOR-URL     REQUESTS in each round, of each
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"kedge/scripts/bench/storm"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		os.Stderr.WriteString("load: " + err.Error() + "\n")
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 6 {
		return errors.New("give ROUNDS REQUESTS PID URL TOKEN FLOOR-URL")
	}
	rounds, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	requests, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var rate, slow [2][]float64
	for range rounds {
		for i, address := range []string{args[5], args[3]} {
			r, err := read(address, args[4], requests)
			if err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
			rate[i], slow[i] = append(rate[i], r.Rate), append(slow[i], r.P99)
		}
	}
	memory, err := resident(args[2])
	if err != nil {
		return err
	}
	row := func(what, unit, limit string, of [2][]float64) {
		floor, kedge := median(of[0]), median(of[1])
		fmt.Printf("| %s | %.0f %s | %.0f %s | %.2f | %s |\n", what, kedge, unit, floor, unit, kedge/floor, limit)
	}
	row("serve, 64 connections, requests", "/ s", "at least 0.6", rate)
	row("serve, 64 connections, 99th percentile", "µs", "2", slow)
	fmt.Printf("| serve, memory after %d requests | %.1f MiB | | | 25 MiB |\n", rounds*requests, memory)
	return nil
}

// read sends requests for the credentials at an address.
func read(address, token string, requests int) (storm.Result, error) {
	u, err := url.Parse(address)
	if err != nil {
		return storm.Result{}, err
	}
	message := []byte("GET " + u.Path + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: load\r\nAuthorization: " + token + "\r\n\r\n")
	return storm.Storm{Host: u.Host, Message: func(int64) []byte { return message }, Status: "200", Requests: requests}.Run()
}

// resident is the memory of a process in MiB.
func resident(pid string) (float64, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("no VmRSS of process " + pid)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	return kib / 1024, err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
