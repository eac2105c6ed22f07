package emulator

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestInvalidUTF8 are bytes of a client that come back in an answer or in the list of calls.
func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	const get = " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	send(t, w.e, "GET /%ff"+get)
	send(t, w.e, "GET /?Action=%FF&Version=2011-06-15"+get)
	send(t, w.e, "GET /"+strings.Repeat("%C3%A9", 300)+get)
	c := w.craft()
	c.body, c.query = "", "profileArn=a&roleArn=b&trustAnchorArn=%FF"
	a := send(t, w.e, c.sign(t).wire())
	if a.status != http.StatusBadRequest || !strings.Contains(a.message, "Value '\uFFFD' at 'trustAnchorArn'") {
		t.Errorf("answer %s", a)
	}
	calls := w.e.Calls()
	if last := calls[len(calls)-1]; last.Status != a.status {
		t.Errorf("logged status %d, sent %d", last.Status, a.status)
	}
	a = send(t, w.e, "GET /_emulator/calls"+get)
	if body := string(a.body); a.status != http.StatusOK || !strings.Contains(body, "\"operation\":\"GET /\uFFFD\"") || !utf8.ValidString(body) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if s := shorten("a" + strings.Repeat("é", 300)); !utf8.ValidString(s) || !strings.HasSuffix(s, "é… (601 bytes)") {
		t.Error(s)
	}
}
