package enroll

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kedge/internal/enrollapi"
)

// protocol is the form of requests and answers.
type protocol struct {
	kind  string // the Content-Type of requests
	write func(w http.ResponseWriter, o reply)
}

// reply is what is sent: an answer, or a refusal.
type reply struct {
	status  int // of HTTP
	answer  any
	refused *refusal // nil: the request is granted, or waits
}

// write sends an answer, or the refusal that err is. Every answer has the server's time, by which
// hosts with a wrong clock sign again.
func (s *Server) write(w http.ResponseWriter, p protocol, answer any, err error) {
	header, o := w.Header(), reply{status: http.StatusOK, answer: answer}
	header.Set("Date", s.now().UTC().Format(http.TimeFormat))
	header.Set("Cache-Control", "no-store")
	if _, waits := answer.(*enrollapi.Waiting); waits {
		o.status = http.StatusAccepted
	}
	if err != nil {
		o.refused = refusalOf(err)
		o.status = o.refused.code.Status()
		if seconds := o.refused.retrySeconds(); seconds > 0 {
			header.Set("Retry-After", strconv.Itoa(seconds))
		}
		if methods := o.refused.allowed; len(methods) > 0 {
			header.Set("Allow", strings.Join(methods, ", "))
		}
		if o.refused.code == enrollapi.TooLarge {
			header.Set("Connection", "close") // the rest of the request is not read
		}
	}
	p.write(w, o)
}

func (r *refusal) retrySeconds() int { return int(r.retry / time.Second) }

// jsonProtocol is that of kedge, see package enrollapi.
func jsonProtocol() protocol { return protocol{enrollapi.ContentType, writeJSON} }

func writeJSON(w http.ResponseWriter, o reply) {
	if r := o.refused; r != nil {
		o.answer = &enrollapi.Error{Code: r.code, Message: r.message, Hint: r.hint, RetryAfter: r.retrySeconds()}
	}
	w.Header().Set("Content-Type", enrollapi.ContentType)
	w.WriteHeader(o.status)
	_ = json.NewEncoder(w).Encode(o.answer) // the client may have gone
}
