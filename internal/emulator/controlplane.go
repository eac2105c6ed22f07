package emulator

import (
	"fmt"
	"net"
	"net/http"

	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

// maxResourceBody bounds a request of the control plane. The largest documented one imports a CRL of
// 300,000 bytes, in base64.
const maxResourceBody = 1 << 20

// serveResources answers an operation of the control plane of IAM Roles Anywhere.
func (e *Emulator) serveResources(w http.ResponseWriter, r *http.Request, op rolesanywhere.Operation, id string) {
	fault, call := e.begin(w, e.takeFault(ResourceFaults), op.Name)
	w, finish := fault.answerTo(w)
	defer finish()
	now := call.Time
	body, ok := e.receive(w, r, call, fault, maxResourceBody)
	if !ok {
		return
	}
	answer, caller, refusal := e.operate(r, call, body, op, id)
	if refusal != nil {
		e.refuse(w, now, call, refusal)
		return
	}
	call.Status = op.Status
	e.record(call)
	e.log.entry(now, fmt.Sprintf("%s %d for %s%s", op.Name, op.Status, caller, faultNote(fault)))
	wire.WriteJSON(w, op.Status, answer)
}

// operate returns the answer, and the ARN of the caller.
func (e *Emulator) operate(r *http.Request, call Call, body []byte, op rolesanywhere.Operation, id string) (any, string, *wire.Error) {
	request := wire.NewRequest(r, body)
	query, err := wire.ParseQuery(request.RawQuery)
	if err != nil {
		return nil, "", wire.Invalid(err.Error())
	}
	who, refusal := e.identify(request, query, rolesService, call.Time)
	if refusal != nil {
		return nil, "", wire.ForJSON(refusal)
	}
	who.Address, _, _ = net.SplitHostPort(r.RemoteAddr)
	c := rolesanywhere.Call{Caller: who.Caller, Now: call.Time, ID: id, Query: query, Request: request}
	var answer any
	if refusal = e.checkRate(who, op.Name, call.Time); refusal == nil {
		answer, refusal = e.resources.Do(op, c)
	}
	e.trailResources(trailed{r, call, who, refusal}, op, c, answer)
	return answer, who.ARN, refusal
}
