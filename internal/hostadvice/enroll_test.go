package hostadvice

import (
	"testing"

	"kedge/internal/enrollapi"
)

// TestRefusal_denied: a denial has several causes, which the server alone has; nothing is invented.
func TestRefusal_denied(t *testing.T) {
	t.Parallel()
	e := enrollapi.Error{Code: enrollapi.Denied, Message: "the policy of the CA refuses it"}
	if got := refusal(&e); got != "ask the operator of the CA" {
		t.Errorf("hint %q", got)
	}
	e.Hint = "the hint of the server"
	if got := refusal(&e); got != e.Hint {
		t.Errorf("hint %q", got)
	}
}
