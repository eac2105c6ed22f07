package emulator

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"kedge/internal/emulator/wire"
)

// controlPrefix is the path of the control interface, which AWS does not have:
//
//	GET    /_emulator/sessions  the sessions, without secrets
//	GET    /_emulator/calls     the requests answered, and why they were refused
//	GET    /_emulator/explain/ID  why the request with this id was refused, as text or JSON
//	POST   /_emulator/faults    one Fault a line in the body, as ParseFault reads it
//	DELETE /_emulator/faults    drop those that are queued
const controlPrefix = "/_emulator/"

func (e *Emulator) serveControl(w http.ResponseWriter, r *http.Request) {
	wire.Stamp(w, e.config.Now())
	// A web page must not reach this through a host name that resolves to loopback, nor a form. The name in a request of
	// another machine may be any.
	if !isLoopbackHost(r.RemoteAddr) || !isLoopbackHost(r.Host) || r.Header.Get("Origin") != "" {
		http.Error(w, "only for programs on this machine", http.StatusForbidden)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, controlPrefix)
	if id, ok := strings.CutPrefix(name, explainPath); ok && r.Method == http.MethodGet {
		e.serveExplain(w, r, id)
		return
	}
	switch r.Method + " " + name {
	case "GET sessions":
		wire.WriteJSON(w, http.StatusOK, e.Sessions())
	case "GET calls":
		wire.WriteJSON(w, http.StatusOK, append([]Call{}, e.Calls()...))
	case "POST faults":
		if err := e.injectAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case "DELETE faults":
		e.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "GET sessions, GET calls, GET explain/ID, POST faults, DELETE faults are here", http.StatusNotFound)
	}
}

// injectAll adds all the faults or, with an error, none.
func (e *Emulator) injectAll(body io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(body, maxSessionBody))
	if err != nil {
		return err
	}
	var faults []Fault
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		f, err := ParseFault(strings.TrimRight(line, "\r\n"))
		if err != nil {
			return err
		}
		faults = append(faults, f)
	}
	if len(faults) == 0 {
		return errors.New("the body names no fault")
	}
	for _, f := range faults {
		if err := e.Inject(f); err != nil {
			return err
		}
	}
	return nil
}

func isLoopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
