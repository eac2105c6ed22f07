package awsup

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestFind_emptyAnswer: what a proxy answers in the place of AWS is an error.
func TestFind_emptyAnswer(t *testing.T) {
	w := newWorld(t, nil)
	wanted := twoRoles(newCA(t, "Root"))
	w.mustUp(t, wanted)
	for _, action := range []string{"GetCallerIdentity", "GetRole", "GetRolePolicy"} {
		empty := func(next aws.HTTPClient) aws.HTTPClient {
			return doer(func(r *http.Request) (*http.Response, error) {
				body := new(bytes.Buffer)
				if r.Body != nil {
					if _, err := body.ReadFrom(r.Body); err != nil {
						return nil, err
					}
				}
				if bytes.HasPrefix(body.Bytes(), []byte("Action="+action+"&")) {
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
				}
				r.Body = io.NopCloser(body)
				return next.Do(r)
			})
		}
		a := w.openBy(t, w.Administrator(), empty)
		_, _, err := Find(t.Context(), a, wanted)
		if e, ok := errors.AsType[*AnswerError](err); !ok || e.Operation[len(e.Operation)-len(action):] != action {
			t.Errorf("%s: %v", action, err)
		}
	}
}
