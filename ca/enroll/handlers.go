package enroll

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"mime"
	"net/http"

	"kedge/internal/enrollapi"
	"kedge/internal/httpserver"
)

// operation answers the body of a POST.
type operation func(ctx context.Context, c *call, r *http.Request) (any, error)

// endpoint is where requests of one kind are decided.
type endpoint struct {
	protocol
	run    operation
	renews bool // those for certificates that are due are not limited
}

// decide answers a POST whose decision is logged.
func (s *Server) decide(ctx context.Context, w http.ResponseWriter, r *http.Request, e endpoint) {
	c := &call{method: r.Method, path: s.path(r), from: s.terms.Load().Proxies.source(r), begun: s.now(), renews: e.renews}
	answer, err := s.allowed(ctx, c, r, e)
	s.settle(c, err)
	if err != nil {
		s.alarm(ctx, c, err)
		refused := refusalOf(err)
		c.rule = refused.rule
		err = refused
	}
	if left, ok := s.refusals.admit(c, err, s.now()); ok {
		c.record(s.log, s.now(), err, left)
	}
	s.counts.add(c, s.now(), err)
	s.write(w, e.protocol, answer, err)
}

func (s *Server) allowed(ctx context.Context, c *call, r *http.Request, e endpoint) (any, error) {
	if r.Method != http.MethodPost {
		return nil, refuseMethod(http.MethodPost)
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != e.kind {
		return nil, refuse(enrollapi.BadRequest, "content-type", "the Content-Type must be %s", e.kind)
	}
	if err := s.limitAddress(c); err != nil {
		return nil, err
	}
	if err := buffer(r); err != nil { // a slow client takes no room
		return nil, refuseAs("body", err)
	}
	httpserver.Answering(r.Context())
	if err := s.enter(c); err != nil {
		return nil, err
	}
	defer s.admission.gate.leave()
	return e.run(ctx, c, r)
}

// buffer reads the body of a request, as much of it as can be decoded. It takes the memory for that once, as
// far as the request has the length.
func buffer(r *http.Request) error {
	var data bytes.Buffer
	data.Grow(int(max(min(r.ContentLength, enrollapi.MaxBody+1), 0)) + bytes.MinRead)
	_, err := data.ReadFrom(io.LimitReader(r.Body, enrollapi.MaxBody+1))
	r.Body = io.NopCloser(&data)
	return err
}

// read decodes the body of a request.
func read(r *http.Request, into any) error {
	if err := enrollapi.Decode(r.Body, into); err != nil {
		return refuseAs("body", err)
	}
	return nil
}

func (s *Server) enroll(ctx context.Context, c *call, r *http.Request) (any, error) {
	var body enrollapi.EnrollRequest
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if err := checkPlace(body.KeyPlace); err != nil {
		return nil, err
	}
	c.version = body.Version
	id, err := s.byToken(ctx, c, body.Token)
	if err != nil {
		return nil, err
	}
	return s.certify(ctx, c, id, body.Request, body.KeyPlace)
}

func (s *Server) renew(ctx context.Context, c *call, r *http.Request) (any, error) {
	var body enrollapi.RenewRequest
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if err := checkPlace(body.KeyPlace); err != nil {
		return nil, err
	}
	c.version = body.Version
	id, err := s.byPossession(ctx, c, body.Proof, body.Request)
	if err != nil {
		return nil, err
	}
	return s.certify(ctx, c, id, body.Request, body.KeyPlace)
}

// certify issues the certificate for an identity, and returns the answer.
func (s *Server) certify(ctx context.Context, c *call, id *identity, request []byte, place string) (*enrollapi.Answer, error) {
	issued, err := s.issue(ctx, c, id, request, place)
	if err != nil {
		return nil, err
	}
	c.rule = "issued"
	if issued.Again {
		c.rule = "issued-before"
	}
	answer, err := s.answer(ctx, c, issued)
	if err == nil {
		s.contacts.add(c, answer)
	}
	return answer, err
}

// unenroll revokes the certificates of a host by its own request. No policy forbids that.
func (s *Server) unenroll(ctx context.Context, c *call, r *http.Request) (any, error) {
	var body enrollapi.UnenrollRequest
	if err := read(r, &body); err != nil {
		return nil, err
	}
	id, err := s.byPossession(ctx, c, body.Proof, nil)
	if err != nil {
		return nil, err
	}
	if err := s.limitHost(c, id); err != nil {
		return nil, err
	}
	c.profile, c.key = id.profile, hex.EncodeToString(id.old.KeyHash)
	if _, err := s.service.GiveUp(ctx, id.old, "unenrolled by the host"); err != nil {
		return nil, err
	}
	c.rule = "unenrolled"
	return &enrollapi.Unenrolled{Serial: id.old.Serial}, nil
}

// show answers a GET, which is not logged.
func (s *Server) show(w http.ResponseWriter, r *http.Request, p protocol, read func() (any, error)) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.write(w, p, nil, refuseMethod(http.MethodGet, http.MethodHead))
		return
	}
	httpserver.Answering(r.Context())
	answer, err := read()
	if err != nil {
		refused := refusalOf(err)
		s.limited.Warn(r.URL.Path+" is answered with an error", "error", refused.Error())
		err = refused
	}
	s.write(w, p, answer, err)
}
