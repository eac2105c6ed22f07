package serve

import (
	"crypto/subtle"
	"net/http"
)

// containerPrefix is the path before the name of a role.
const containerPrefix = "/v1/credentials/"

// container answers a request to the container credentials endpoint (AWS SDKs and Tools Reference
// Guide, "Container credential provider").
func (s *Server) container(r *http.Request) answer {
	if len(s.authorization) == 0 {
		return refuseWith(containerEndpoint, r.Method, http.StatusNotFound, "there is no container endpoint here")
	}
	if !isRead(r.Method) {
		return refuse(containerEndpoint, r.Method, http.StatusMethodNotAllowed)
	}
	sent := r.Header["Authorization"]
	if sent == nil {
		return refuseWith(containerEndpoint, r.Method, http.StatusUnauthorized, "no Authorization header: clients that do not know AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE yet want the token in AWS_CONTAINER_AUTHORIZATION_TOKEN")
	}
	if len(sent) != 1 || subtle.ConstantTimeCompare([]byte(sent[0]), s.authorization) != 1 {
		return refuseWith(containerEndpoint, r.Method, http.StatusUnauthorized, "the Authorization header is not the token of this endpoint")
	}
	roles := s.roles.Load()
	route, ok := roles.routes[r.URL.Path]
	if !ok {
		return refuseWith(containerEndpoint, r.Method, http.StatusNotFound, roles.none)
	}
	return route.answer(containerEndpoint, r)
}
