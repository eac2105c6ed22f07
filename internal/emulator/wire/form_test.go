package wire

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

func TestForm_members(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ body, want string }{
		{"", "[]"},
		{"Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=c", "[map[Key:a Value:b] map[Key:c]]"},
		{"Tags.member.2.Key=a", "MalformedInput: The list Tags has a gap or an unknown member"},
		{"Tags.member.1.Other=a", "MalformedInput: The list Tags has a gap or an unknown member"},
		{"a=1&a=2", `InvalidParameterCombination: The parameter "a" is given twice`},
		{"a=%", "MalformedQueryString: the query has a % without two hexadecimal digits"},
		{strings.Repeat("&a=b", maxParameters+1), "MalformedInput: The request has too many parameters"},
	} {
		r := Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(tt.body)}
		_, parameters, refusal := r.Form()
		var members []map[string]string
		if refusal == nil {
			members, refusal = parameters.Members("Tags", "Key", "Value")
		}
		got := fmt.Sprint(members)
		if refusal != nil {
			got = refusal.Error()
		}
		if got != tt.want {
			t.Errorf("%.60q: %s, want %s", tt.body, got, tt.want)
		}
	}
}

// FuzzForm: a list has as many fields as the request has parameters for it, each once.
func FuzzForm(f *testing.F) {
	f.Add("Action=CreateRole&Tags.member.1.Key=a&Tags.member.1.Value=b")
	f.Add("Tags.member.1.Key=a&Tags.member.3.Key=b")
	f.Add("Tags.member.=a&Tags.member.01.Key=b&%54ags.member.1.Key=")
	f.Fuzz(func(t *testing.T, body string) {
		r := Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(body)}
		_, parameters, refusal := r.Form()
		if refusal != nil {
			return
		}
		members, refusal := parameters.Members("Tags", "Key", "Value")
		if refusal != nil {
			return
		}
		count := 0
		for name := range maps.Keys(parameters) {
			if strings.HasPrefix(name, "Tags.member.") {
				count++
			}
		}
		for _, m := range members {
			count -= len(m)
		}
		if count != 0 {
			t.Errorf("%q: %v", body, members)
		}
	})
}
