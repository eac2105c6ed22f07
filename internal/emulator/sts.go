package emulator

import "net/http"

func (e *Emulator) serveSTS(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
