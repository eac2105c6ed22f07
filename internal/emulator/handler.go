package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

// The maximum sizes of requests. The service's own are unknown; what it documents fits in these.
const (
	maxSessionBody = 64 << 10
	maxQueryBody   = 1 << 20
)

// Handler returns the services: CreateSession at /sessions, STS and IAM at /, the control plane of IAM Roles
// Anywhere at its paths, and the control interface of the emulator below /_emulator/.
func (e *Emulator) Handler() http.Handler { return http.HandlerFunc(e.serve) }

func (e *Emulator) serve(w http.ResponseWriter, r *http.Request) {
	path, _ := wire.RawTarget(r)
	switch {
	case path == "/sessions" && r.Method == http.MethodPost:
		e.serveSessions(w, r)
	case strings.HasPrefix(r.URL.Path, controlPrefix):
		e.serveControl(w, r)
	case r.URL.Path == "/":
		e.serveQuery(w, r)
	default:
		if op, id, ok := rolesanywhere.Find(r.Method, path); ok {
			e.serveResources(w, r, op, id)
			return
		}
		now := e.config.Now()
		wire.Stamp(w, now)
		// The answer of AWS's REST-JSON services to an unknown operation.
		e.refuse(w, now, Call{ID: wire.RequestID(w), Operation: r.Method + " " + r.URL.Path}, &wire.Error{
			Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "Unknown operation",
			Why: fmt.Sprintf("%s %.80q: CreateSession is POST /sessions, STS and IAM are /", r.Method, path),
		})
	}
}

// begin sets the time of a request, which a fault may shift, and the headers of its answer. The time of the call is
// that of all checks.
func (e *Emulator) begin(w http.ResponseWriter, fault Fault, operation string) (Fault, Call) {
	now := e.config.Now()
	if fault.Kind == "skew" {
		now = now.Add(fault.duration())
	}
	wire.Stamp(w, now)
	return fault, Call{ID: wire.RequestID(w), Time: now, Operation: operation}
}

// receive reads the body of a request that is answered in JSON. If it returns false, the request has its answer: a
// refusal, or what the fault does.
func (e *Emulator) receive(w http.ResponseWriter, r *http.Request, call Call, fault Fault, maxBody int64) ([]byte, bool) {
	body, refusal := wire.ReadBody(r, maxBody)
	if refusal == nil {
		refusal = wire.CheckHeaderSize(r.Header)
	}
	if refusal != nil {
		e.refuse(w, call.Time, call, refusal)
		return nil, false
	}
	if fault.misbehave(r.Context(), w, wire.WriteJSONError) {
		e.recordFault(call.Time, call, fault)
		return nil, false
	}
	return body, true
}

func (e *Emulator) serveSessions(w http.ResponseWriter, r *http.Request) {
	fault, call := e.begin(w, e.takeFault(SessionFaults), "CreateSession")
	w, finish := fault.answerTo(w)
	defer finish()
	now := call.Time
	body, ok := e.receive(w, r, call, fault, maxSessionBody)
	if !ok {
		return
	}
	session, refusal := e.createSession(wire.NewRequest(r, body), now, fault)
	e.trailSession(trailed{r, call, nil, refusal}, body, session)
	if refusal != nil {
		e.refuse(w, now, call, refusal)
		return
	}
	answer := session.answer()
	fault.spoil(answer, session)
	call.Status = http.StatusCreated
	e.record(call)
	e.log.entry(now, fmt.Sprintf("CreateSession 201 %s%s, until %s%s", session.AssumedRoleARN,
		identityNote(session.SourceIdentity), session.Expiration.Format(time.RFC3339), faultNote(fault)))
	wire.WriteJSON(w, http.StatusCreated, answer)
}

// identityNote returns a source identity for a line of the log, where there is one.
func identityNote(identity string) string {
	if identity == "" {
		return ""
	}
	return fmt.Sprintf(", source identity %q", identity)
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
func (e *Emulator) refuse(w http.ResponseWriter, now time.Time, call Call, refusal *wire.Error) {
	e.recordRefusal(now, call, refusal)
	wire.WriteJSONError(w, refusal)
}

// noPolicy is why a request was refused whose error has the reason in its message.
const noPolicy = "the request is not as the message has it; no policy was asked"

func (e *Emulator) recordRefusal(now time.Time, call Call, refusal *wire.Error) {
	why := cmp.Or(refusal.Why, noPolicy)
	call.Time, call.Status, call.Code, call.Message, call.Why = now, refusal.Status, refusal.Code, refusal.Message, why
	call = e.record(call)
	details := []string{"because " + why}
	if refusal.Reasons != nil {
		details = append(details, refusal.Reasons.Lines()...)
	}
	if refusal.Canonical != "" {
		details = append(details, "the canonical request rebuilt here:", withoutTokens(refusal.Canonical))
	}
	e.refusals.add(Refusal{Call: call, Decisions: refusal.Reasons, details: details})
	details = append(details, "explained at "+controlPrefix+explainPath+call.ID)
	e.log.entry(now, fmt.Sprintf("%s %d %s: %s", call.Operation, refusal.Status, refusal.Code, refusal.Message), details...)
}
