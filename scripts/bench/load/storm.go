package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const connections = 64

// result is one round: requests in a second, and microseconds.
type result struct{ rate, p99 float64 }

// storm sends so many requests, each after the answer to the previous one on its connection. It
// writes HTTP by hand: a client that costs as much as the server would hide the server's cost.
func storm(address, token string, requests int) (result, error) {
	u, err := url.Parse(address)
	if err != nil {
		return result{}, err
	}
	message := []byte("GET " + u.Path + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: load\r\nAuthorization: " + token + "\r\n\r\n")
	var left atomic.Int64
	left.Store(int64(requests))
	times, failures := make([][]time.Duration, connections), make([]error, connections)
	var all sync.WaitGroup
	start := time.Now()
	for i := range connections {
		all.Go(func() { times[i], failures[i] = converse(u.Host, message, &left) })
	}
	all.Wait()
	took := time.Since(start)
	every := slices.Concat(times...)
	slices.Sort(every)
	if err := errors.Join(failures...); err != nil {
		return result{}, err
	}
	return result{float64(len(every)) / took.Seconds(), float64(every[len(every)*99/100].Microseconds())}, nil
}

// converse takes requests from left and returns how long each took.
func converse(host string, message []byte, left *atomic.Int64) (times []time.Duration, err error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for left.Add(-1) >= 0 {
		start := time.Now()
		if _, err := conn.Write(message); err != nil {
			return nil, err
		}
		if err := skipAnswer(answers); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// skipAnswer reads one answer, which must have status 200 and a Content-Length.
func skipAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return errors.New(string(line))
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length <= 0 {
		return errors.New("an answer without a length")
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return err
}
