package doctor

import (
	"testing"
	"time"
)

// TestService_late: a step that does not end in time is named with the address it was about, and the cause.
func TestService_late(t *testing.T) {
	t.Parallel()
	const host = "rolesanywhere.us-east-1.amazonaws.com"
	for _, tt := range []struct {
		name  string
		proxy string
		trace *steps
		id    string
		want  string
	}{
		{"no name server", "", &steps{looked: true}, idResolve, "cannot connect to " + host + ": the name servers of this host do not answer"},
		{"no name server for the proxy", "proxy:3128", &steps{looked: true}, idResolve, "cannot connect to the proxy proxy: the name servers of this host do not answer"},
		{"no connection", "", &steps{looked: true, addresses: []string{"192.0.2.1"}, tried: tried{"192.0.2.1:443"}}, idConnect, "cannot connect to " + host + " (192.0.2.1:443): it takes too long"},
		{"none to two addresses", "", &steps{tried: tried{"[2001:db8::1]:443", "192.0.2.1:443"}}, idConnect, "cannot connect to " + host + " ([2001:db8::1]:443, 192.0.2.1:443): it takes too long"},
		{"none to the proxy", "proxy:3128", &steps{tried: tried{"192.0.2.9:3128"}}, idConnect, "cannot connect to the proxy 192.0.2.9:3128: it takes too long"},
		{"no TLS", "", &steps{tried: tried{"192.0.2.1:443"}, connected: "192.0.2.1:443", shaking: true}, idTLS, "no answer from " + host + " (192.0.2.1:443): it takes too long"},
		{"no answer of the proxy", "proxy:3128", &steps{tried: tried{"192.0.2.9:3128"}, connected: "192.0.2.9:3128"}, idAnswer, "no answer from " + host + ": it takes too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if id := tt.trace.ended(); id != tt.id {
				t.Errorf("it ended at %s, want %s", id, tt.id)
			}
			if got := tt.trace.late(tt.id, host, tt.proxy).Error(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestLimits: with every step hanging, the report is there within ten seconds.
func TestLimits(t *testing.T) {
	t.Parallel()
	l := Limits{}.withDefaults()
	if l.Total+closing > 10*time.Second {
		t.Errorf("%s, and %s to close the key", l.Total, closing)
	}
	const serviceTime = 5 * time.Second // that the check of a certificate which has expired waits for, whatever its limit
	if l.Key+serviceTime > l.Total {
		t.Errorf("%s for the key, and then %s", l.Key, serviceTime)
	}
}
