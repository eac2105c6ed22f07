package enroll

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/enrollapi"
)

// ask sends a request to a server, and returns the status and the certificate.
func ask(t *testing.T, s *Server, r enrollapi.ApprovalRequest) (int, []byte) {
	t.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		t.Error(err)
	}
	request := httptest.NewRequest(http.MethodPost, "https://ca.example.com"+enrollapi.PathRequest, bytes.NewReader(body))
	request.Header.Set("Content-Type", enrollapi.ContentType)
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	var answer enrollapi.Answer
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Error(err)
	}
	return recorder.Code, answer.Certificate
}

// A request that was sent to one server is issued by another, once, however many ask at the same time.
func TestRequest_servers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := New(Config{Service: w.anotherService(), Terms: w.terms(), Now: w.now})
	w.must(err)
	servers := []*Server{w.server, other}
	h := &machine{w: w, name: "new-01", key: newKey(t)}
	r := h.approvalRequest(h.name)
	for _, s := range servers {
		if status, _ := ask(t, s, r); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	_, err = w.service.Approve(t.Context(), h.asks(r), issuance.Approval{Lifetime: dayLong})
	w.must(err)
	got := make([][]byte, 20)
	var group sync.WaitGroup
	for i := range got {
		request := enrollapi.ApprovalRequest{Request: csr(t, h.key, h.name), KeyPlace: ca.KeyInFile} // signed anew
		group.Go(func() { _, got[i] = ask(t, servers[i%2], request) })
	}
	group.Wait()
	for i := range got {
		if len(got[i]) == 0 || !bytes.Equal(got[i], got[0]) {
			t.Errorf("answer %d is another", i)
		}
	}
	if n := len(w.leaves(h.name)); n != 1 {
		t.Errorf("%d certificates", n)
	}
	w.verified()
}
