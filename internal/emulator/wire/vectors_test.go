package wire

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestSigV4_vectors are cases of AWS's Signature Version 4 test suite ("aws4_testsuite"): the
// secret of the documentation, one second of 2015, a service called "service". Each request
// comes with the signature that AWS published.
func TestSigV4_vectors(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	tests := []struct{ name, line, headers, body, signedHeaders, signature string }{
		{"get-vanilla", "GET /", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST /", "", "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", "GET /?Param2=value2&Param1=value1", "", "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-utf8-query", "GET /?%E1%88%B4=bar", "", "", "host;x-amz-date", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{"get-slashes", "GET //", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-relative", "GET /example/..", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-header-key-duplicate", "GET /", "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n", "", "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{"get-header-value-trim", "GET /", "My-Header1:  value1\nMy-Header2:  \"a   b   c\"\n", "", "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"post-header-key-sort", "POST /", "My-Header1:value1\n", "", "host;my-header1;x-amz-date", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
		{"post-x-www-form-urlencoded", "POST /", "Content-Type:application/x-www-form-urlencoded\n", "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wire := tt.line + " HTTP/1.1\nHost:example.amazonaws.com\n" + tt.headers + "X-Amz-Date:20150830T123600Z\n" +
				"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + tt.signedHeaders +
				", Signature=" + tt.signature + "\n\n"
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			request := NewRequest(r, []byte(tt.body))
			query, err := ParseQuery(request.RawQuery)
			if err != nil {
				t.Fatal(err)
			}
			s, refusal := request.readSigned(query)
			if refusal == nil {
				refusal = s.verify(request, secret)
			}
			if refusal != nil {
				t.Errorf("%v: %s\n%s", refusal, refusal.Why, refusal.Canonical)
			}
			if s.verify(request, secret+"x") == nil {
				t.Error("another secret verifies as well")
			}
		})
	}
}
