package emulator

import (
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The maximum sizes of requests. The service's own are unknown; what it documents fits in these.
const (
	maxSessionBody = 64 << 10
	maxSTSBody     = 1 << 20
	// A leaf of 16 KB and a chain of five as big, in base64, and the rest.
	maxHeader = 256 << 10
)

// Handler returns the service: CreateSession at /sessions, STS at /, and the control interface
// below /_emulator/.
func (e *Emulator) Handler() http.Handler { return http.HandlerFunc(e.serve) }

func (e *Emulator) serve(w http.ResponseWriter, r *http.Request) {
	path, _ := rawTarget(r)
	switch {
	case path == "/sessions" && r.Method == http.MethodPost:
		e.serveSessions(w, r)
	case strings.HasPrefix(r.URL.Path, controlPrefix):
		e.serveControl(w, r)
	case r.URL.Path == "/":
		e.serveSTS(w, r)
	default:
		now := e.config.Now()
		stamp(w, now)
		// The answer of AWS's REST-JSON services to an unknown operation.
		e.refuse(w, now, Call{Operation: r.Method + " " + r.URL.Path}, &apiError{
			status: http.StatusNotFound, code: "UnknownOperationException", message: "Unknown operation",
			why: fmt.Sprintf("%s %.80q: CreateSession is POST /sessions, STS is /", r.Method, path),
		})
	}
}

// stamp sets the headers of every answer.
func stamp(w http.ResponseWriter, now time.Time) {
	id := hex.EncodeToString(random(16))
	w.Header().Set("X-Amzn-Requestid", strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-"))
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
}

// begin takes the fault for a request, and sets the headers of its answer. The time of the call is
// that of all checks.
func (e *Emulator) begin(w http.ResponseWriter, sts bool, operation string) (Fault, Call) {
	fault := e.takeFault(sts)
	now := e.config.Now()
	if fault.Kind == "skew" {
		now = now.Add(fault.duration())
	}
	stamp(w, now)
	return fault, Call{Time: now, Operation: operation}
}

func (e *Emulator) serveSessions(w http.ResponseWriter, r *http.Request) {
	fault, call := e.begin(w, false, "CreateSession")
	now := call.Time
	body, refusal := readBody(r, maxSessionBody)
	if refusal == nil {
		refusal = checkHeaderSize(r.Header)
	}
	if refusal != nil {
		e.refuse(w, now, call, refusal)
		return
	}
	if fault.misbehave(r.Context(), w, writeError) {
		e.recordFault(now, call, fault)
		return
	}
	session, refusal := e.createSession(newWireRequest(r, body), now, fault)
	if refusal != nil {
		e.refuse(w, now, call, refusal)
		return
	}
	answer := session.answer()
	fault.spoil(answer, session)
	call.Status = http.StatusCreated
	e.record(call)
	e.log.entry(now, fmt.Sprintf("CreateSession 201 %s, source identity %q, until %s%s", session.AssumedRoleARN,
		session.SourceIdentity, session.Expiration.Format(time.RFC3339), faultNote(fault)))
	writeJSON(w, http.StatusCreated, answer)
}

func readBody(r *http.Request, most int64) ([]byte, *apiError) {
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, &apiError{status: http.StatusBadRequest, code: "SerializationException", message: "The request body could not be read", why: err.Error()}
	}
	if int64(len(body)) > most {
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLargeException", message: "Request size exceeded", why: fmt.Sprintf("the body has more than %d bytes", most)}
	}
	return body, nil
}

func checkHeaderSize(h http.Header) *apiError {
	size := 0
	for name, values := range h {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	if size > maxHeader {
		return &apiError{status: http.StatusRequestHeaderFieldsTooLarge, code: "RequestEntityTooLargeException", message: "Request size exceeded", why: fmt.Sprintf("the headers have %d bytes; %d is the most here", size, maxHeader)}
	}
	return nil
}

func faultNote(f Fault) string {
	if f.Kind == "" {
		return ""
	}
	return " (fault " + f.String() + ")"
}

func (e *Emulator) recordFault(now time.Time, call Call, f Fault) {
	call.Code = "fault " + f.String()
	e.record(call)
	e.log.entry(now, call.Operation+faultNote(f))
}

// refuse answers with an error, and logs why.
func (e *Emulator) refuse(w http.ResponseWriter, now time.Time, call Call, refusal *apiError) {
	e.recordRefusal(now, call, refusal)
	writeError(w, refusal)
}

func (e *Emulator) recordRefusal(now time.Time, call Call, refusal *apiError) {
	call.Time, call.Status, call.Code, call.Message, call.Why = now, refusal.status, refusal.code, refusal.message, refusal.why
	e.record(call)
	var details []string
	if refusal.why != "" {
		details = append(details, "because "+refusal.why)
	}
	details = append(details, refusal.reasons...)
	if refusal.canonical != "" {
		details = append(details, "the canonical request rebuilt here:", withoutTokens(refusal.canonical))
	}
	e.log.entry(now, fmt.Sprintf("%s %d %s: %s", call.Operation, refusal.status, refusal.code, refusal.message), details...)
}

// writeError writes an error as AWS's REST-JSON services do.
func writeError(w http.ResponseWriter, refusal *apiError) {
	w.Header().Set("X-Amzn-Errortype", refusal.code)
	writeJSON(w, refusal.status, map[string]any{"message": refusal.message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	// It has only strings and numbers; invalid UTF-8 that a client sent becomes U+FFFD.
	data, _ := json.Marshal(value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
