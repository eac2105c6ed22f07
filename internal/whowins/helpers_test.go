package whowins

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// workplace is what the environments of the test name: programs, and servers on loopback. Each source
// gives keys with an id of its own.
type workplace struct {
	dir                                 string
	metadata, second, container, tokens string
}

// future is an end of credentials that no tool renews early.
func future() string { return time.Now().Add(6 * time.Hour).UTC().Format(time.RFC3339) }

func newWorkplace(t *testing.T) *workplace {
	t.Helper()
	w := &workplace{dir: t.TempDir()}
	for _, each := range []string{"p/kedge", "p/other", "q/kedge", "a space/kedge"} {
		path := filepath.Join(w.dir, "bin", each)
		write(t, path, fmt.Sprintf("#!/bin/sh\necho '%s'\n", document(map[string]any{"Version": 1}, "PROCESS "+each, "SessionToken")))
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("kedge", filepath.Join(w.dir, "bin/p/aws_signing_helper")); err != nil {
		t.Fatal(err)
	}
	write(t, w.replace("{token}"), "hunter2")
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	w.metadata, w.second = serve(metadata("METADATA"))+"/", serve(metadata("SECOND"))+"/" // botocore adds no slash
	w.container = serve(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, document(map[string]any{}, "CONTAINER", "Token"))
	})) + "/v1/credentials/default"
	w.tokens = serve(http.HandlerFunc(assume))
	return w
}

// document is what a source answers.
func document(values map[string]any, id, token string) string {
	values["AccessKeyId"], values["SecretAccessKey"], values[token], values["Expiration"] = id, "s", "t", future()
	data, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// metadata is an instance metadata service, version 2.
func metadata(id string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		fmt.Fprint(rw, "token")
	})
	const roles = "/latest/meta-data/iam/security-credentials/"
	mux.HandleFunc("GET "+roles+"{$}", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "role") })
	mux.HandleFunc("GET "+roles+"role", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, document(map[string]any{"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": future()}, id, "Token"))
	})
	return mux
}

// assume is STS: the id names the role, and the id with which it was assumed, or the token.
func assume(rw http.ResponseWriter, r *http.Request) {
	action, arn := r.FormValue("Action"), r.FormValue("RoleArn")
	by := "TOKEN"
	if action == "AssumeRole" {
		_, by, _ = strings.Cut(r.Header.Get("Authorization"), "Credential=")
		by = regexp.MustCompile(`/\d{8}/.*`).ReplaceAllString(by, "")
	}
	id := arn[strings.LastIndexByte(arn, '/')+1:] + " BY " + by
	rw.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(rw, `<%sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/r/x</Arn></AssumedRoleUser><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></%[1]sResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></%[1]sResponse>`, action, id, future())
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *workplace) replace(text string) string {
	return strings.NewReplacer("{bin}", filepath.Join(w.dir, "bin"), "{token}", filepath.Join(w.dir, "token"),
		"{container}", w.container, "{second}", w.second).Replace(text)
}

// environment is a combination as the tools see it.
type environment struct {
	Name    string            `json:"name"`
	Env     map[string]string `json:"env"`
	Profile string            `json:"profile"`
	without string
	only    []string // the tools that it is for; nil: all
}

// lay writes the files of a combination.
func (w *workplace) lay(t *testing.T, number int, c combination) environment {
	t.Helper()
	home := filepath.Join(w.dir, "homes", fmt.Sprint(number))
	e := environment{Name: c.name, Profile: c.profile, without: c.without, Env: map[string]string{
		"HOME": home, "PATH": "/usr/bin:/bin", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": w.metadata, "AWS_ENDPOINT_URL_STS": w.tokens, "AWS_MAX_ATTEMPTS": "1",
		"AWS_METADATA_SERVICE_TIMEOUT": "2",
	}}
	for _, word := range strings.Fields(strings.ReplaceAll(w.replace(c.env), "{home}", home)) {
		name, value, set := strings.Cut(word, "=")
		if e.Env[name] = value; !set {
			delete(e.Env, name)
		}
	}
	for name, content := range map[string]string{"config": c.config, "credentials": c.credentials} {
		if content != "" {
			write(t, filepath.Join(home, ".aws", name), w.replace(content))
		}
	}
	write(t, filepath.Join(home, "other"), w.replace("[default]\n"+kedgeQ))
	return e
}

// look is Look as kedge doctor calls it. The metadata service that every environment names is kedge's
// where the name of the environment has the word.
func (w *workplace) look(e environment) *Situation {
	return Look(Inputs{
		Environment: e.Env, Profile: e.Profile, ReadFile: os.ReadFile,
		IsKedge: func(program string) bool {
			target, err := filepath.EvalSymlinks(program)
			return err == nil && filepath.Base(target) == "kedge"
		},
		IsServed: func(endpoint string) bool { return endpoint != w.metadata || strings.Contains(e.Name, "metadata") },
	})
}

// id returns the access key id that a source gives.
func (w *workplace) id(s *Source) string {
	switch s.Kind {
	case Environment:
		return "ENV"
	case Keys:
		data, _ := os.ReadFile(s.File)
		_, rest, _ := strings.Cut(string(data), "["+s.header+"]")
		_, rest, _ = strings.Cut(rest, "aws_access_key_id = ")
		id, _, _ := strings.Cut(rest, "\n")
		return id
	case Process:
		program, err := filepath.EvalSymlinks(s.Program)
		if err != nil {
			return "error"
		}
		name, _ := filepath.Rel(filepath.Join(w.dir, "bin"), program)
		return "PROCESS " + name
	case Role:
		return s.Profile + " BY " + w.id(s.Base)
	case WebIdentity:
		if s.File == "" {
			return "env BY TOKEN"
		}
		return s.Profile + " BY TOKEN"
	case Container:
		return "CONTAINER"
	case Metadata:
		return map[string]string{w.metadata: "METADATA", w.second: "SECOND"}[s.Endpoint]
	case SSO, Login, Refused, Nothing:
	}
	return "error"
}
