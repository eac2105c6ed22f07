package emulator

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestControlPlane_parallel: operations, sessions and lists at once lose nothing.
func TestControlPlane_parallel(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t, func(c *Config) { c.StateDir = t.TempDir(); c.Log = nil })
	leaf := w.root.issue(t, leafTemplate())
	const clients = 8
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for _, step := range []struct{ method, target, body string }{
				{"POST", "/profiles", fmt.Sprintf(`{"name":"p%d","roleArns":[],"aliasName":"p%d"}`, i, i)},
				{"POST", "/TagResource", fmt.Sprintf(`{"resourceArn":%q,"tags":[{"key":"k%d","value":""}]}`, w.ProfileARN(), i)},
				{"PATCH", "/trustanchor/" + idOf(w.TrustAnchorARN()), fmt.Sprintf(`{"name":"n%d"}`, i)},
				{"GET", "/profiles", ""},
			} {
				if response, body := w.call(t, w.Administrator(), step.method, step.target, step.body); response.StatusCode >= 300 {
					t.Errorf("%s %s: %s", step.method, step.target, body)
				}
				if got := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf); got.status != 201 {
					t.Errorf("a session: %s", got)
				}
			}
		})
	}
	group.Wait()
	if text := w.do(t, "GET", "/profiles", ""); strings.Count(text, `"profileArn"`) != clients+1 {
		t.Errorf("profiles %s", text)
	}
	if text := w.do(t, "GET", "/ListTagsForResource?resourceArn="+w.ProfileARN(), ""); strings.Count(text, `"key"`) != clients {
		t.Errorf("tags %s", text)
	}
}
