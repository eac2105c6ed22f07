package enroll

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"kedge/internal/enrollapi"
)

// TestBuffer: a body is read as far as it can be decoded, whatever length the request claims, and one whose
// length is true takes its memory once.
func TestBuffer(t *testing.T) { // not with others, whose memory would count
	for _, size := range []int{0, 1, 600, enrollapi.MaxBody, enrollapi.MaxBody + 1, 2 * enrollapi.MaxBody} {
		body := bytes.Repeat([]byte("x"), size)
		want := min(size, enrollapi.MaxBody+1)
		for _, length := range []int64{-1, 0, int64(size), 1 << 40} {
			r := &http.Request{Body: io.NopCloser(bytes.NewReader(body)), ContentLength: length}
			if err := buffer(r); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r.Body); err != nil || len(got) != want {
				t.Errorf("%d bytes of %d, said to be %d: %v", len(got), size, length, err)
			}
		}
		allocations := testing.AllocsPerRun(5, func() {
			_ = buffer(&http.Request{Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(size)})
		})
		if allocations > 8 {
			t.Errorf("%d bytes take memory %v times", size, allocations)
		}
	}
}
