package awsup

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// TestUp_emptyAnswer: a proxy answers instead of AWS that a trust anchor was created, with nothing in it. It is looked
// for then: one that is there is used, one that is not there is an error.
func TestUp_emptyAnswer(t *testing.T) {
	root := newCA(t, "Root")
	for _, forwarded := range []bool{true, false} {
		w := newWorld(t, nil)
		u := w.Administrator()
		a, err := awsaccount.Open(t.Context(), awsaccount.Config{
			Region: "eu-west-1", EndpointURL: w.url, Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
			Now: w.clock, Sleep: w.wait, Wrap: func(next aws.HTTPClient) aws.HTTPClient {
				return doer(func(r *http.Request) (*http.Response, error) {
					if r.Method != http.MethodPost || r.URL.Path != "/trustanchors" {
						return next.Do(r)
					}
					if forwarded {
						response, err := next.Do(r)
						if err != nil {
							return nil, err
						}
						response.Body.Close()
					}
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
				})
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		planned, err := Prepare(t.Context(), a, twoRoles(root))
		if err != nil {
			t.Fatal(err)
		}
		built, err := planned.Do(t.Context(), a, func(*awsplan.Step) {})
		switch _, lost := errors.AsType[*LostError](err); {
		case forwarded && (err != nil || built.Anchor == ""):
			t.Error(err)
		case !forwarded && !lost:
			t.Errorf("%v, want that it is not known", err)
		}
	}
}
