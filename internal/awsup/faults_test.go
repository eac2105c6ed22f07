package awsup

import (
	"fmt"
	"testing"

	"kedge/internal/awsaccount"
)

// TestUp_faults: whatever AWS answers to whichever request, throttling or an outage, the next run makes the same account,
// and nothing twice.
func TestUp_faults(t *testing.T) {
	root := newCA(t, "Root")
	whole := newWorld(t, nil)
	whole.mustUp(t, twoRoles(root))
	requests := map[string]int{"iam": called(whole.sent, "POST /") - 2, "rolesanywhere": called(whole.sent, "")} // two are of STS
	want := whole.state(t, twoRoles(root))
	faults := []string{"throttle", "unavailable=5", "throttle*100", "status=503", "unavailable=30*100", "cut"}
	for service, total := range requests {
		for n := range total {
			fault := faults[n%len(faults)]
			if service == "iam" && n%len(faults)%3 == 1 { // IAM has no such answer
				fault = "status=503*100"
			}
			w := newWorld(t, nil)
			w.fails(t, fmt.Sprintf("%s:%s@%d", service, fault, n+1))
			_, err := w.up(t.Context(), t, twoRoles(root))
			if fault == "throttle*100" && !awsaccount.Is(err, awsaccount.Throttled) {
				t.Errorf("%s, request %d: %v", fault, n+1, err)
			}
			w.ClearFaults()
			w.mustUp(t, twoRoles(root))
			if got := w.state(t, twoRoles(root)); got != want {
				t.Errorf("%s:%s, request %d:\n%s\nwant\n%s", service, fault, n+1, got, want)
			}
		}
	}
}
