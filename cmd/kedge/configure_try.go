package main

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

	"kedge/internal/cli"
	"kedge/internal/processline"
	"kedge/signer/session"
)

// processTimeout is the timeout of the Go SDK for a credential_process.
const processTimeout = time.Minute

// tryError reports a profile that does not work.
type tryError struct {
	how string // it was tried
	err error
}

func (e *tryError) Error() string { return e.how + ": " + e.err.Error() }
func (e *tryError) Unwrap() error { return e.err }

// exit returns the exit code of the run of kedge; 0 if there was none.
func (e *tryError) exit() int {
	exit, ok := errors.AsType[*exec.ExitError](e.err)
	if !ok {
		return cli.ExitDone
	}
	return exit.ExitCode()
}

// try uses the settings as the SDKs will, but once without the cache: credentials of an earlier run
// would hide a private key that is missing or locked, until they expire.
func (o *configureOptions) try(ctx context.Context) error {
	value := o.settings[0].Value
	if o.endpointURL != "" {
		return tryEndpoint(ctx, value)
	}
	if runtime.GOOS != "windows" {
		words, err := processline.Split(value)
		if err != nil {
			return &tryError{"credential_process, split as the AWS CLI does", err}
		}
		var said, again bytes.Buffer
		if err := tryProcess(ctx, io.MultiWriter(o.Err, &said), words[0], append(words[1:], "--cache", "off")...); err != nil {
			return &tryError{"credential_process, run as the AWS CLI does, without a shell", err}
		}
		err = tryProcess(ctx, &again, "sh", "-c", value)
		_, _ = io.WriteString(o.Err, unsaid(said.String(), again.String()))
		if err != nil {
			return &tryError{"credential_process, run as the Go SDK does, by sh -c", err}
		}
		return nil
	}
	if err := tryProcess(ctx, o.Err, "cmd.exe", "/C", value+" --cache off"); err != nil {
		return &tryError{"credential_process, run by cmd.exe /C", err}
	}
	return nil
}

// tryProcess runs a program in a folder where no relative path is valid, without input and, on
// Unix, without a terminal for a password: as under cron. Its stderr is passed through.
func tryProcess(ctx context.Context, stderr io.Writer, program string, args ...string) error {
	limited, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	cmd := exec.CommandContext(limited, program, args...)
	cmd.Dir = filepath.VolumeName(program) + string(filepath.Separator)
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
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		return fmt.Errorf("it does not print credentials: %w", err)
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
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("run %s: %w", program, path.Err)
	}
	return err
}

// tryEndpoint gets credentials by IMDSv2.
func tryEndpoint(ctx context.Context, base string) error {
	base = strings.TrimSuffix(base, "/")
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	const path = "/latest/meta-data/iam/security-credentials/"
	token, err := ask(ctx, http.MethodPut, base+"/latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	if err != nil {
		return &tryError{base, err}
	}
	role, err := ask(ctx, http.MethodGet, base+path, "X-Aws-Ec2-Metadata-Token", token)
	if err != nil {
		return &tryError{base, err}
	}
	role, _, _ = strings.Cut(role, "\n")
	document, err := ask(ctx, http.MethodGet, base+path+role, "X-Aws-Ec2-Metadata-Token", token)
	if err != nil {
		return &tryError{base, err}
	}
	var got struct{ Code, AccessKeyID string }
	if err := json.Unmarshal([]byte(document), &got); err != nil || got.Code != "Success" || got.AccessKeyID == "" {
		return &tryError{base, errors.New("it answers with something else than credentials")}
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
