// Package trial uses what a profile of the AWS files names as the SDKs will, to see whether it works: a
// credential_process, or an endpoint.
package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"kedge/internal/processline"
	"kedge/signer/session"
)

// processTimeout is the timeout of the Go SDK for a credential_process.
const processTimeout = time.Minute

// Error reports a profile that does not work.
type Error struct {
	How string // it was tried
	Err error
}

func (e *Error) Error() string { return e.How + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// Exit returns the exit code of the run of kedge; 0 if there was none.
func (e *Error) Exit() int {
	exit, ok := errors.AsType[*exec.ExitError](e.Err)
	if !ok {
		return 0
	}
	return exit.ExitCode()
}

// Process runs a line as each SDK does, but once without the cache of kedge: what another run left there
// would hide a private key that is missing or locked, until it expires. What the runs say goes to stderr,
// once. The error is an *Error.
func Process(ctx context.Context, line string, stderr io.Writer) error {
	if runtime.GOOS == "windows" {
		return how("credential_process, run by cmd.exe /C", run(ctx, stderr, "cmd.exe", "/C", line+" --cache off"))
	}
	words, err := processline.Split(line)
	if err != nil {
		return how("credential_process, split as the AWS CLI does", err)
	}
	var said, again bytes.Buffer
	if err := run(ctx, io.MultiWriter(stderr, &said), words[0], append(words[1:], "--cache", "off")...); err != nil {
		return how("credential_process, run as the AWS CLI does, without a shell", err)
	}
	err = run(ctx, &again, "sh", "-c", line)
	_, _ = io.WriteString(stderr, unsaid(said.String(), again.String()))
	return how("credential_process, run as the Go SDK does, by sh -c", err)
}

func how(text string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{text, err}
}

// run runs a program in a folder where no relative path is right, without an input and, on
// Unix, without a terminal, on which a password could be asked for: there is none in cron. What
// it writes to standard error goes to stderr as it is.
func run(ctx context.Context, stderr io.Writer, program string, args ...string) error {
	limited, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	cmd := exec.CommandContext(limited, program, args...)
	cmd.Dir = filepath.VolumeName(program) + string(filepath.Separator)
	cmd.Stdin = strings.NewReader("") // a pipe: in a chroot there may be no /dev/null
	detach(cmd)
	cmd.WaitDelay = time.Second // for its own children
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	if err := cmd.Run(); err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			return fmt.Errorf("no answer within %s", processTimeout)
		}
		return errors.Join(ctx.Err(), unstarted(program, err))
	}
	var got struct {
		Version                                    int
		AccessKeyID, SecretAccessKey, SessionToken string
	}
	if json.Unmarshal(stdout.Bytes(), &got) != nil {
		return errors.New("it does not print credentials")
	}
	if got.Version != 1 || got.AccessKeyID == "" || got.SecretAccessKey == "" || got.SessionToken == "" {
		return errors.New("it prints JSON that is no credentials")
	}
	return nil
}

// unsaid returns the lines of a second run that its first one did not print, ignoring numbers: the
// seconds of clock skew may differ by one.
func unsaid(first, second string) string {
	known := map[string]bool{}
	for line := range strings.Lines(first) {
		known[withoutDigits(line)] = true
	}
	var rest strings.Builder
	for line := range strings.Lines(second) {
		if !known[withoutDigits(line)] {
			rest.WriteString(line)
		}
	}
	return rest.String()
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
}

// unstarted returns an error that names the program that could not be started, without the system
// call.
func unstarted(program string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("there is no %s in PATH: the SDKs that run a credential_process by a shell get no credentials here", program)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("run %s: %w", program, path.Err)
	}
	return err
}

// Endpoint gets credentials by IMDSv2. The error is an *Error.
func Endpoint(ctx context.Context, base string) error {
	base = strings.TrimSuffix(base, "/")
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	const path = "/latest/meta-data/iam/security-credentials/"
	token, err := ask(ctx, http.MethodPut, base+"/latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	if err != nil {
		return how(base, err)
	}
	role, err := ask(ctx, http.MethodGet, base+path, "X-Aws-Ec2-Metadata-Token", token)
	if err != nil {
		return how(base, err)
	}
	role, _, _ = strings.Cut(role, "\n")
	document, err := ask(ctx, http.MethodGet, base+path+role, "X-Aws-Ec2-Metadata-Token", token)
	if err != nil {
		return how(base, err)
	}
	var got struct{ Code, AccessKeyID string }
	if err := json.Unmarshal([]byte(document), &got); err != nil || got.Code != "Success" || got.AccessKeyID == "" {
		return how(base, errors.New("it answers with something else than credentials"))
	}
	return nil
}

// ask sends a request of IMDSv2. As the SDKs do, it uses no proxy.
func ask(ctx context.Context, method, url, header, value string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set(header, value)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return "", &session.NetworkError{Host: r.URL.Host, Attempts: 1, Err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	return string(body), err
}
