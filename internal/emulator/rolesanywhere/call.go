package rolesanywhere

import (
	"encoding/json/v2"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// Call is a request whose signature was verified.
type Call struct {
	Caller  wire.Caller
	Now     time.Time
	ID      string // the resource that the path names, decoded; see [Find]
	Query   []wire.Pair
	Request wire.Request

	op Operation
}

// Do performs an operation and returns the answer, a value for JSON.
func (s *Store) Do(op Operation, c Call) (any, *wire.Error) {
	if kind := c.Request.Header.Get("Content-Type"); len(c.Request.Body) > 0 && !isJSON(kind) { // ours
		return nil, wire.NewError(http.StatusUnsupportedMediaType, "UnsupportedMediaTypeException", "The request's Content-Type must be application/json", "Content-Type %.80q", kind)
	}
	c.op, c.Now = op, c.Now.UTC().Truncate(time.Microsecond)
	if refusal := s.authorize(op, &c); refusal != nil {
		return nil, refusal
	}
	return op.run(s, &c)
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// decode reads a body. Members that are not in T are ignored, as in services that use the same
// framework.
func decode[T any](c *Call) (T, *wire.Error) {
	var in T
	if err := json.Unmarshal(c.Request.Body, &in); err != nil {
		return in, wire.NewError(http.StatusBadRequest, "SerializationException", "The request body is not a valid document of this operation", "%v", err)
	}
	return in, nil
}

// query returns the values of a parameter.
func (c *Call) query(name string) []string {
	var values []string
	for _, p := range c.Query {
		if p.Name == name {
			values = append(values, p.Value)
		}
	}
	return values
}

// only returns the value of a parameter that may occur once; nil if it does not occur.
func (c *Call) only(name string) (*string, *wire.Error) {
	values := c.query(name)
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
		return &values[0], nil
	}
	return nil, wire.Invalid(fmt.Sprintf("%s is given twice", name)) // ours
}

// authorize asks the store's Authorize whether the caller may do this.
func (s *Store) authorize(op Operation, c *Call) *wire.Error {
	if s.Authorize == nil {
		return nil
	}
	target := op.target(s, c)
	return s.Authorize(c.Caller, Service+":"+op.Name, target, s.context(c, target))
}

// Targets (Service Authorization Reference, "IAM Roles Anywhere"): the resource's own ARN, and * for
// what has no resource. If it does not exist, the ARN that it would have.

func pathTarget(s *Store, c *Call) string {
	if !strings.Contains(c.op.Path, "{id}") {
		return "*"
	}
	return s.target(c, c.op.kind(), c.ID)
}

func queryTarget(_ *Store, c *Call) string {
	name, _ := c.only("resourceArn")
	if name == nil {
		return "*"
	}
	return *name
}

func anchorTarget(s *Store, c *Call) string {
	in, _ := decode[struct {
		ID string `json:"trustAnchorId"`
	}](c) // what cannot be read the operation refuses
	return s.target(c, KindTrustAnchor, in.ID)
}

func taggedTarget(_ *Store, c *Call) string {
	in, _ := decode[struct {
		ARN string `json:"resourceArn"`
	}](c)
	return in.ARN
}

func (s *Store) target(c *Call, kind Kind, id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.resources[kind][s.canonical(c, kind, id)]; r != nil {
		return r.base().ARN
	}
	return c.arnOf(kind, id)
}

// context returns the condition keys of a call (Service Authorization Reference): the tags that the
// request has, and those of the resource.
func (s *Store) context(c *Call, target string) policy.Context {
	var k policy.Context
	tags, keys := c.requestTags()
	for _, tag := range tags {
		k.Set("aws:RequestTag/"+tag.Key, tag.Value)
		keys = append(keys, tag.Key)
	}
	k.Set("aws:TagKeys", keys...)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.find(target); r != nil {
		for _, tag := range r.base().Tags {
			k.Set("aws:ResourceTag/"+tag.Key, tag.Value)
		}
	}
	return k
}

// requestTags returns the tags that a request adds, or the keys of those that it removes. Members that the operation
// does not have do not count.
func (c *Call) requestTags() (add []Tag, remove []string) {
	switch c.op.Name {
	case "CreateTrustAnchor", "CreateProfile", "ImportCrl", "TagResource":
		in, _ := decode[struct {
			Tags []Tag `json:"tags"`
		}](c)
		return in.Tags, nil
	case "UntagResource":
		in, _ := decode[struct {
			Keys []string `json:"tagKeys"`
		}](c)
		return nil, in.Keys
	}
	return nil, nil
}

// arnOf returns the ARN of an id in the caller's account and in the region of the request.
func (c *Call) arnOf(kind Kind, id string) string {
	return arn.ARN{
		Partition: arn.PartitionOf(c.Caller.Region), Service: Service, Region: c.Caller.Region, Account: c.Caller.Account,
		Resource: string(kind) + "/" + id,
	}.String()
}
