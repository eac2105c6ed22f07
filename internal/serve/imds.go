package serve

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Source: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
const (
	tokenPath   = "/latest/api/token"
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	maxTTL      = 21600 // seconds
)

// imds answers a request below /latest/.
func (s *Server) imds(r *http.Request) answer {
	at := endpointOf(r.URL.Path)
	if at == tokenEndpoint {
		return s.newToken(r)
	}
	if !isRead(r.Method) {
		return refuse(at, r.Method, http.StatusMethodNotAllowed)
	}
	if token := r.Header[tokenHeader]; len(token) != 1 || !s.tokens.valid(token[0]) {
		return refuse(at, r.Method, http.StatusUnauthorized)
	}
	roles := s.roles.Load()
	route, ok := roles.routes[r.URL.Path]
	if !ok && strings.HasPrefix(r.URL.Path, iamPath+"security-credentials") {
		return refuseWith(at, r.Method, http.StatusNotFound, roles.none)
	}
	if !ok {
		return refuse(at, r.Method, http.StatusNotFound)
	}
	return route.answer(at, r)
}

func (s *Server) newToken(r *http.Request) answer {
	if r.Method != http.MethodPut {
		return refuse(tokenEndpoint, r.Method, http.StatusMethodNotAllowed)
	}
	ttl := r.Header[ttlHeader]
	if len(ttl) != 1 {
		return refuse(tokenEndpoint, r.Method, http.StatusBadRequest)
	}
	seconds, err := strconv.Atoi(ttl[0])
	if err != nil || strings.Trim(ttl[0], "0123456789") != "" || seconds < 1 || seconds > maxTTL {
		return refuse(tokenEndpoint, r.Method, http.StatusBadRequest)
	}
	token := s.tokens.issue(time.Duration(seconds) * time.Second)
	return answer{endpoint: tokenEndpoint, status: http.StatusOK, body: newText(token), token: token, ttl: strconv.Itoa(seconds)}
}
