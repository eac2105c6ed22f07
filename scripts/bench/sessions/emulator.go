package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kedge/scripts/bench/storm"
	"kedge/signer"
)

// emulator is one that runs.
type emulator struct {
	cmd  *exec.Cmd
	dir  string
	host string
}

// launch starts an emulator, and returns once it has printed that it is ready.
func (b *bench) launch(c config) (*emulator, error) {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		return nil, err
	}
	e := &emulator{dir: dir}
	path, err := c.write(dir)
	if err != nil {
		return nil, err
	}
	e.cmd = exec.Command(b.emulator, "--config", path)
	words, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer words.Close()
	e.cmd.Stderr = words
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		why, _ := os.ReadFile(words.Name()) // it is empty where the emulator has been killed
		return nil, errors.Join(errors.New(string(why)), err, e.stop())
	}
	_, address, _ := strings.Cut(strings.TrimSuffix(line, "'\n"), "'http://")
	e.host = address
	return e, nil
}

func (e *emulator) stop() error {
	_ = e.cmd.Process.Kill() // it has ended, if not
	_ = e.cmd.Wait()
	return os.RemoveAll(e.dir)
}

// request is what a session is asked for with.
type request struct{ profile, role string }

// message returns the bytes of a signed request, which is valid for five minutes.
func (b *bench) message(e *emulator, r request) ([]byte, error) {
	body := fmt.Sprintf(`{"profileArn":%q,"roleArn":%q,"trustAnchorArn":%q}`, r.profile, r.role, anchorARN())
	u := &url.URL{Scheme: "http", Host: e.host, Path: "/sessions"}
	header := http.Header{"Content-Type": {"application/json"}}
	signed, err := signer.Sign(signer.Request{Method: http.MethodPost, URL: u, Header: header, Body: []byte(body)}, b.identity, region, time.Now())
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("POST /sessions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", e.host, len(body))
	for name, values := range signed {
		text += name + ": " + values[0] + "\r\n"
	}
	return []byte(text + "\r\n" + body), nil
}

// result is a round, with the sessions in a second of the emulator's CPU time.
type result struct {
	storm.Result
	perCPU float64
}

// storm asks for n sessions, with the requests in turn.
func (b *bench) storm(e *emulator, n int, requests []request) (result, error) {
	messages := make([][]byte, len(requests))
	for i, r := range requests {
		var err error
		if messages[i], err = b.message(e, r); err != nil {
			return result{}, err
		}
	}
	before, err := e.cpu()
	if err != nil {
		return result{}, err
	}
	s := storm.Storm{Host: e.host, Message: func(i int64) []byte { return messages[i%int64(len(messages))] }, Status: "201", Requests: n}
	r, err := s.Run()
	if err != nil {
		return result{}, err
	}
	after, err := e.cpu()
	return result{r, float64(n) / (after - before)}, err
}

// cpu returns the CPU time of the emulator in seconds: fields 14 and 15 of proc(5), in ticks of 10 ms.
func (e *emulator) cpu() (float64, error) {
	stat, err := os.ReadFile(e.proc("stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("no CPU time in " + e.proc("stat"))
	}
	user, errUser := strconv.ParseFloat(fields[11], 64)
	system, errSystem := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, errors.Join(errUser, errSystem)
}

// resident returns the memory of the emulator in MiB: field 2 of statm, in pages.
func (e *emulator) resident() (float64, error) {
	statm, err := os.ReadFile(e.proc("statm"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0, errors.New("no memory in " + e.proc("statm"))
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20), err
}

func (e *emulator) proc(file string) string {
	return "/proc/" + strconv.Itoa(e.cmd.Process.Pid) + "/" + file
}
