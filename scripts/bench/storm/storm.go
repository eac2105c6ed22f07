// Package storm sends requests over 64 connections that stay open, and measures the answers. It writes HTTP by hand: a
// client that costs as much as the server would hide the server's cost.
package storm

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Connections is how many there are.
const Connections = 64

// Result is one round: requests in a second, and the 99th percentile of the time that one takes, in microseconds.
type Result struct{ Rate, P99 float64 }

// Storm is a round of requests.
type Storm struct {
	Host     string               // with the port
	Message  func(i int64) []byte // the bytes of the i-th request, from 0; called concurrently
	Status   string               // of each answer, such as "200"
	Requests int
}

// Run sends the requests, each after the answer to the previous one on its connection.
func (s Storm) Run() (Result, error) {
	var next atomic.Int64
	times, failures := make([][]time.Duration, Connections), make([]error, Connections)
	var all sync.WaitGroup
	start := time.Now()
	for i := range Connections {
		all.Go(func() { times[i], failures[i] = s.converse(&next) })
	}
	all.Wait()
	took := time.Since(start)
	every := slices.Concat(times...)
	slices.Sort(every)
	if err := errors.Join(failures...); err != nil {
		return Result{}, err
	}
	return Result{float64(len(every)) / took.Seconds(), float64(every[len(every)*99/100].Microseconds())}, nil
}

// converse sends requests over one connection and returns how long each took.
func (s Storm) converse(next *atomic.Int64) (times []time.Duration, err error) {
	conn, err := net.Dial("tcp", s.Host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := next.Add(1) - 1; i < int64(s.Requests); i = next.Add(1) - 1 {
		message := s.Message(i)
		start := time.Now()
		if _, err := conn.Write(message); err != nil {
			return nil, err
		}
		if err := skipAnswer(answers, s.Status); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// skipAnswer reads one answer, which must have this status and a Content-Length.
func skipAnswer(r *bufio.Reader, status string) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 "+status+" ")) {
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
