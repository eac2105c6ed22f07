package testenv

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// KMS is a double of AWS KMS with keys of the test's own, behind a proxy that fails as it is told.
type KMS struct {
	address string // of the proxy
	server  string // of the double
	proxy   *http.Server

	mu       sync.Mutex
	fault    func(operation string) Fault
	requests map[string]int // by operation
	now      int            // in progress
	most     int            // of now
}

// Fault is how the proxy fails. The zero Fault lets a request through.
type Fault struct {
	Delay  time.Duration // before the request goes on
	Code   string        // of the error that is the answer, as KMS names it
	Status int           // of that answer; 0: 400
	Lose   bool          // the request is done, and the connection ends without an answer
	Change func(answer map[string]any)
}

// KMSRegion is where the keys of the double are.
const KMSRegion = "eu-central-1"

// NewKMS starts a double, which ends with the test.
func NewKMS(tb testing.TB) *KMS {
	tb.Helper()
	path := filepath.Join(Root(tb), "build", "tools", "kms")
	if !isExecutable(path) {
		Missing(tb, "local-kms", "build/tools/kms is not there; scripts/setup builds it")
	}
	cmd := exec.Command(path, tb.TempDir(), KMSRegion)
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	k := &KMS{requests: map[string]int{}}
	tb.Cleanup(func() {
		k.Stop()
		lifeline.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	k.server = strings.TrimSpace(line)
	k.Start(tb)
	return k
}

// Start lets the double be reached again, after Stop, at the same address.
func (k *KMS) Start(tb testing.TB) {
	tb.Helper()
	at := k.address
	if at == "" {
		at = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", at)
	if err != nil {
		tb.Fatal(err)
	}
	k.address = listener.Addr().String()
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: k.server})
	forward.ErrorLog = log.New(io.Discard, "", 0)
	k.proxy = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { k.handle(w, r, forward) })}
	go k.proxy.Serve(listener)
}

// Stop makes the double unreachable: connections end, and others are refused.
func (k *KMS) Stop() { k.proxy.Close() }

// Fail has each request fail according to f, from now on; nil: none does.
func (k *KMS) Fail(f func(operation string) Fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fault = f
}

// Always returns a fault of each request of an operation.
func Always(operation string, f Fault) func(string) Fault {
	return func(of string) Fault {
		if of != operation {
			return Fault{}
		}
		return f
	}
}

// Requests returns how many requests of an operation there were.
func (k *KMS) Requests(operation string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.requests[operation]
}

// Most returns how many requests were in progress at once, at most.
func (k *KMS) Most() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.most
}

func (k *KMS) handle(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f := k.begin(operation)
	defer k.end()
	select {
	case <-time.After(f.Delay):
	case <-r.Context().Done():
		return
	}
	if f.Code != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(max(f.Status, http.StatusBadRequest))
		fmt.Fprintf(w, `{"__type":%q,"message":"a fault of the test"}`, f.Code)
		return
	}
	if !f.Lose && f.Change == nil {
		forward.ServeHTTP(w, r)
		return
	}
	status, answer := k.raw(r.Header.Get("X-Amz-Target"), r.Body)
	if f.Lose {
		panic(http.ErrAbortHandler)
	}
	f.Change(answer)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (k *KMS) begin(operation string) (f Fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests[operation]++
	k.now++
	k.most = max(k.most, k.now)
	if k.fault != nil {
		f = k.fault(operation)
	}
	return f
}

func (k *KMS) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now--
}

// raw makes a request to the double itself.
func (k *KMS) raw(target string, body io.Reader) (status int, answer map[string]any) {
	request, err := http.NewRequest(http.MethodPost, "http://"+k.server, body)
	if err != nil {
		return http.StatusInternalServerError, map[string]any{"message": err.Error()}
	}
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return http.StatusInternalServerError, map[string]any{"message": err.Error()}
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(&answer)
	return response.StatusCode, answer
}

// Do does an operation of KMS, past the proxy.
func (k *KMS) Do(tb testing.TB, operation string, in map[string]any) map[string]any {
	tb.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		tb.Fatal(err)
	}
	status, answer := k.raw("TrentService."+operation, bytes.NewReader(body))
	if status != http.StatusOK {
		tb.Fatalf("%s: %d: %v", operation, status, answer)
	}
	return answer
}

// Make makes a key, and returns its ID. spec and usage are KMS's, as in ECC_NIST_P256 and SIGN_VERIFY.
func (k *KMS) Make(tb testing.TB, spec, usage string) string {
	tb.Helper()
	made := k.Do(tb, "CreateKey", map[string]any{"KeySpec": spec, "KeyUsage": usage})
	return made["KeyMetadata"].(map[string]any)["KeyId"].(string)
}

// MakeSigning makes a key that signs, and returns its URI.
func (k *KMS) MakeSigning(tb testing.TB, spec string) string {
	tb.Helper()
	return "awskms:key-id=" + k.Make(tb, spec, "SIGN_VERIFY") + ";region=" + KMSRegion
}

// Variables are those of the AWS SDKs by which a program finds the double, and nothing else.
func (k *KMS) Variables() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_KMS": "http://" + k.address, "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret-of-a-test",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_ENDPOINT_URL": "",
	}
}

// Environment returns that of this process with Variables.
func (k *KMS) Environment() []string {
	all := os.Environ()
	for name, value := range k.Variables() {
		all = append(all, name+"="+value)
	}
	return all
}
