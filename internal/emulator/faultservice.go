package emulator

import (
	"net/http"
	"slices"
	"strings"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/wire"
)

// FaultService is the service whose requests a [Fault] meets.
type FaultService string

// The services, as they stand in the text form of a fault.
const (
	SessionFaults  FaultService = ""           // CreateSession
	STSFaults      FaultService = "sts"        // STS
	IAMFaults      FaultService = iam.Service  // IAM
	ResourceFaults FaultService = rolesService // the control plane of IAM Roles Anywhere
)

// cutService cuts the service off the text form of a fault.
func cutService(s string) (service FaultService, rest string) {
	before, after, ok := strings.Cut(s, ":")
	if ok && slices.Contains([]FaultService{STSFaults, IAMFaults, ResourceFaults}, FaultService(before)) {
		return FaultService(before), after
	}
	return SessionFaults, s
}

// isQuery reports whether it is a service of the query protocol.
func (s FaultService) isQuery() bool { return s == STSFaults || s == IAMFaults }

// throttled is the answer to too many requests. In the query protocol the code is Throttling (STS reference, "Common
// errors"; field reports for IAM). The status of the control plane is that of the API reference ("Common Errors"),
// that of CreateSession is not documented.
func (s FaultService) throttled() *wire.Error {
	e := &wire.Error{Status: http.StatusBadRequest, Code: "ThrottlingException", Message: "Rate exceeded"}
	switch {
	case s.isQuery():
		e.Code = "Throttling"
	case s == SessionFaults:
		e.Status = http.StatusTooManyRequests
	}
	return e
}

// failure is an answer with another status. For 503 and, of services of the query protocol, 500 the codes are
// documented (API references, "Common errors"; IAM's ServiceFailure is in its API model).
func (s FaultService) failure(status int) *wire.Error {
	e := &wire.Error{Status: status, Code: "InternalServerException", Message: http.StatusText(status)}
	switch {
	case status == http.StatusServiceUnavailable && s.isQuery():
		e.Code = "ServiceUnavailable"
	case status == http.StatusServiceUnavailable:
		e.Code = "ServiceUnavailableException"
	case s == IAMFaults:
		e.Code = "ServiceFailure"
	case s == STSFaults:
		e.Code = "InternalFailure"
	}
	return e
}
