package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/creds"
)

// firstTimeout bounds how long a request waits for the first credentials. SDKs give up after one or
// two seconds, but retry.
const firstTimeout = 5 * time.Second

// table has the roles, and the answer to each path below /latest/ and /v1/.
type table struct {
	roles  []*role
	routes map[string]route
	none   string // the answer to an unknown name, for clients that may know the names
}

// route is the answer to one path: a fixed text, or a format of a role's credentials.
type route struct {
	words *body
	role  *role
	form  func(*documents) *body
}

func newTable(roles []Role, now func() time.Time) (*table, error) {
	if len(roles) == 0 {
		return nil, errors.New("there is no role to serve")
	}
	t := &table{routes: map[string]route{}}
	for _, r := range roles {
		if err := checkRole(r); err != nil {
			return nil, err
		}
		served := &role{Role: r, now: now}
		t.roles = append(t.roles, served)
		if _, twice := t.routes[containerPrefix+r.Name]; twice {
			return nil, fmt.Errorf("two roles have the name %q", r.Name)
		}
		t.routes[containerPrefix+r.Name] = route{role: served, form: func(d *documents) *body { return d.container }}
		t.routes[iamPath+"security-credentials/"+r.Name] = route{role: served, form: func(d *documents) *body { return d.imds }}
		t.routes[iamPath+"security-credentials-extended/"+r.Name] = route{role: served, form: func(d *documents) *body { return d.extended }}
	}
	t.none = "there is no role of this name here; there are: " + listNames(roles)
	for path, words := range instance(roles[0], now()) {
		t.routes[path] = route{words: words}
	}
	return t, nil
}

// maxNames bounds how many names the answer to an unknown name lists.
const maxNames = 20

func listNames(roles []Role) string {
	var names []string
	for _, r := range roles[:min(len(roles), maxNames)] {
		names = append(names, r.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(roles) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (rt route) answer(at endpoint, r *http.Request) answer {
	if rt.words != nil {
		return answer{endpoint: at, status: http.StatusOK, body: rt.words}
	}
	d, err := rt.role.documents(r.Context())
	if err != nil {
		return refuseWith(at, r.Method, http.StatusServiceUnavailable, "no credentials: "+err.Error())
	}
	return answer{endpoint: at, status: http.StatusOK, body: rt.form(d)}
}

// role is a Role and the documents of its last credentials.
type role struct {
	Role
	latest atomic.Pointer[documents]
	now    func() time.Time
}

// documents are the response bodies for one set of credentials.
type documents struct {
	id, token                 string
	expires                   time.Time
	imds, extended, container *body
}

// documents returns those of the role's current credentials. The error is shown to the client: it
// holds no secret.
func (r *role) documents(ctx context.Context) (*documents, error) {
	d := r.latest.Load()
	if d == nil {
		limited, cancel := context.WithTimeout(ctx, firstTimeout)
		defer cancel()
		ctx = limited
	}
	c, err := r.Credentials.Retrieve(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return nil, errors.New("there are none yet")
	}
	if err != nil {
		return nil, err
	}
	if c.CanExpire && !c.Expires.After(r.now()) {
		return nil, errors.New("they expired at " + c.Expires.UTC().Format(time.RFC3339))
	}
	if d != nil && d.id == c.AccessKeyID && d.token == c.SessionToken && d.expires.Equal(c.Expires) {
		return d, nil
	}
	if d, err = newDocuments(c, r.ARN, r.now()); err != nil {
		return nil, err
	}
	r.latest.Store(d)
	return d, nil
}

func newDocuments(c aws.Credentials, roleARN string, now time.Time) (*documents, error) {
	d := &documents{id: c.AccessKeyID, token: c.SessionToken, expires: c.Expires}
	for _, form := range []struct {
		to   **body
		kind string
		make func() ([]byte, error)
	}{
		{&d.imds, textType, func() ([]byte, error) { return creds.IMDS(c, now) }},
		{&d.extended, textType, func() ([]byte, error) { return creds.IMDSExtended(c, now) }},
		{&d.container, jsonType, func() ([]byte, error) { return creds.Container(c, roleARN) }},
	} {
		data, err := form.make()
		if err != nil {
			return nil, err
		}
		*form.to = newBody(form.kind, data)
	}
	return d, nil
}
