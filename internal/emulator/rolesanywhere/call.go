package rolesanywhere

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"time"

	"kedge/internal/emulator/arn"
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
	if refusal := c.Request.CheckJSON(); refusal != nil {
		return nil, refusal
	}
	c.op, c.Now = op, c.Now.UTC().Truncate(time.Microsecond)
	if refusal := s.authorize(op, &c); refusal != nil {
		return nil, refusal
	}
	return op.run(s, &c)
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

// arnOf returns the ARN of an id in the caller's account and in the region of the request.
func (c *Call) arnOf(kind Kind, id string) string {
	return arn.ARN{
		Partition: arn.PartitionOf(c.Caller.Region), Service: Service, Region: c.Caller.Region, Account: c.Caller.Account,
		Resource: string(kind) + "/" + id,
	}.String()
}
