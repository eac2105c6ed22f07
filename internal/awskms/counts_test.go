package awskms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"testing"

	"kedge/internal/metrics"
	"kedge/internal/testenv"
)

// TestWriteMetrics: results and times are counted for each operation.
func TestWriteMetrics(t *testing.T) {
	k := use(t)
	c := NewClient(quick())
	var none metrics.Page
	c.WriteMetrics(&none)
	key := open(t, c, k.MakeSigning(t, "ECC_NIST_P256"))
	signs(t, key)
	k.Fail(testenv.Always("Sign", testenv.Fault{Code: "AccessDeniedException"}))
	_, _ = key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	var page metrics.Page
	c.WriteMetrics(&page)
	for _, want := range []string{
		`kedge_ca_kms_requests_total{operation="GetPublicKey",result="granted"} 1`, `kedge_ca_kms_requests_total{operation="Sign",result="granted"} 1`,
		`kedge_ca_kms_requests_total{operation="Sign",result="denied"} 1`, `kedge_ca_kms_requests_in_progress 0`,
		`kedge_ca_kms_request_duration_seconds_bucket{operation="Sign",le="+Inf"} 2`, `kedge_ca_kms_request_duration_seconds_count{operation="Sign"} 2`,
	} {
		if !bytes.Contains(page.Text, []byte(want+"\n")) {
			t.Errorf("no %s in\n%s", want, page.Text)
		}
	}
	if len(none.Text) > 0 {
		t.Errorf("%s", none.Text)
	}
}
