package emulator

import "net/http"

// answerTo returns where the answer to a request goes, and what must be done after it was written. Of a lost answer
// the client gets nothing: the request is done, and then the connection is closed.
func (f Fault) answerTo(w http.ResponseWriter) (_ http.ResponseWriter, finish func()) {
	if f.Kind != "lost" {
		return w, func() {}
	}
	return lostAnswer{w.Header()}, func() { f.cut(w) }
}

// lostAnswer is an answer that nobody gets.
type lostAnswer struct{ header http.Header }

func (l lostAnswer) Header() http.Header { return l.header }

func (lostAnswer) Write(p []byte) (int, error) { return len(p), nil }

func (lostAnswer) WriteHeader(int) {}
