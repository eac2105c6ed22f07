package emulator

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/wire"
)

// queryService is a service of the query protocol. All of them are at /; a request is for the one that
// it was signed for.
type queryService struct {
	name, namespace string
	faults          FaultService
	members         func(operation string) (names []string, ok bool) // of its input, as cloudtrail.FromForm takes them; no secrets
	perform         func(who *principal, parameters wire.Parameters, now time.Time) (wire.XMLAnswer, *wire.Error)
}

// serviceOf returns the service that a request is for: STS, unless it was signed for IAM.
func (e *Emulator) serviceOf(r *http.Request) queryService {
	scope := cmp.Or(r.Header.Get("Authorization"), r.URL.Query().Get("X-Amz-Credential"))
	if strings.Contains(scope, "/"+iam.Service+"/"+wire.Terminator) {
		return queryService{iam.Service, iam.Namespace, IAMFaults, e.iam.Members, e.performIAM}
	}
	return queryService{"sts", stsNamespace, STSFaults, stsMembers, e.performSTS}
}

func (s queryService) writeError(w http.ResponseWriter, refusal *wire.Error) {
	wire.WriteXMLError(w, s.namespace, refusal)
}

// serveQuery answers a request of the query protocol.
func (e *Emulator) serveQuery(w http.ResponseWriter, r *http.Request) {
	s := e.serviceOf(r)
	fault, call := e.begin(w, e.takeFault(s.faults), strings.ToUpper(s.name))
	w, finish := fault.answerTo(w)
	defer finish()
	now := call.Time
	refuse := func(refusal *wire.Error) {
		e.recordRefusal(now, call, refusal)
		s.writeError(w, refusal)
	}
	body, refusal := wire.ReadBody(r, maxQueryBody)
	if refusal != nil {
		refuse(refusal)
		return
	}
	if fault.misbehave(r.Context(), w, s.writeError) {
		e.recordFault(now, call, fault)
		return
	}
	request := wire.NewRequest(r, body)
	query, parameters, refusal := request.Form()
	if refusal != nil {
		refuse(refusal)
		return
	}
	if action := parameters["Action"]; action != "" {
		call.Operation = action
	}
	who, refusal := e.identify(request, query, s.name, now)
	if refusal != nil {
		refuse(refusal)
		return
	}
	who.Address, _, _ = net.SplitHostPort(r.RemoteAddr)
	if parameters["Action"] == "" {
		refuse(wire.NewError(http.StatusBadRequest, "MissingAction", "The request must contain the parameter Action", ""))
		return
	}
	result, refusal := s.perform(who, parameters, now)
	e.trailQuery(trailed{r, call, who, refusal}, s, parameters, result)
	if refusal != nil {
		refuse(refusal)
		return
	}
	call.Status = http.StatusOK
	e.record(call)
	e.log.entry(now, fmt.Sprintf("%s 200 for %s%s%s", call.Operation, who.ARN, identityNote(who.sourceIdentity()), faultNote(fault)))
	wire.WriteXML(w, http.StatusOK, result)
}
