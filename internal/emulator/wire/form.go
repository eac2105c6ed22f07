package wire

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// maxParameters bounds the parameters of the query protocol. Ours; the largest documented input, 50
// tags and 10 policies, has about 150.
const maxParameters = 2000

// Parameters are those of a request in the query protocol, each once.
type Parameters map[string]string

// Form parses the parameters of the query protocol, in the query of a GET, or as a form in the body
// of a POST, and returns the query as well, which the signature is about.
func (r Request) Form() ([]Pair, Parameters, *Error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, nil, NewError(http.StatusMethodNotAllowed, "InvalidAction", "Only GET and POST are supported", "%s", r.Method)
	}
	query, err := ParseQuery(r.RawQuery)
	pairs := query
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && r.Method == http.MethodPost && kind == "application/x-www-form-urlencoded" {
		var form []Pair
		form, err = ParseQuery(string(r.Body))
		pairs = append(pairs[:len(pairs):len(pairs)], form...)
	}
	if err != nil {
		return nil, nil, NewError(http.StatusBadRequest, "MalformedQueryString", err.Error(), "")
	}
	if len(pairs) > maxParameters {
		return nil, nil, NewError(http.StatusBadRequest, "MalformedInput", "The request has too many parameters", "%d; %d are the most here", len(pairs), maxParameters)
	}
	parameters := Parameters{}
	for _, p := range pairs {
		if _, twice := parameters[p.Name]; twice {
			return nil, nil, NewError(http.StatusBadRequest, "InvalidParameterCombination", fmt.Sprintf("The parameter %q is given twice", p.Name), "")
		}
		parameters[p.Name] = p.Value
	}
	return query, parameters, nil
}

// Members reads a list of the query protocol: NAME.member.1.FIELD, NAME.member.2.FIELD and so on
// (Smithy, "AWS query protocol"). A field that is not there is missing in the map. The field "" is
// the member itself, NAME.member.1.
func (p Parameters) Members(name string, fields ...string) ([]map[string]string, *Error) {
	prefix, count := name+".member.", 0
	for key := range p {
		if strings.HasPrefix(key, prefix) {
			count++
		}
	}
	var all []map[string]string
	for n := 1; count > 0; n++ {
		item := map[string]string{}
		for _, field := range fields {
			key := prefix + strconv.Itoa(n)
			if field != "" {
				key += "." + field
			}
			if value, ok := p[key]; ok {
				item[field] = value
				count--
			}
		}
		if len(item) == 0 {
			return nil, NewError(http.StatusBadRequest, "MalformedInput", "The list "+name+" has a gap or an unknown member", "")
		}
		all = append(all, item)
	}
	return all, nil
}
