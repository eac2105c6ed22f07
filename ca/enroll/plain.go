package enroll

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"kedge/ca/ledger"
	"kedge/internal/httpserver"
)

// onlyRead returns a handler of GET and HEAD alone, whose answer takes no longer than answerTime.
func onlyRead(answer func(context.Context, http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET is answered here", http.StatusMethodNotAllowed)
			return
		}
		httpserver.Answering(r.Context())
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		answer(ctx, w, r)
	})
}

// Plain returns the handler for what needs no TLS, since it is signed:
//
//	/crl/NAME.crl  the last revocation list of an authority, DER: the ledger's, so that every
//	               server answers with the same bytes
//	/ca/NAME.cer   the certificate of an authority, DER
//
// A name is looked up among the authorities of the ledger: no part of a path reaches a file system.
func (s *Server) Plain() http.Handler {
	return onlyRead(func(ctx context.Context, w http.ResponseWriter, r *http.Request) {
		kind, data, err := s.published(ctx, r.URL.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || is[*ledger.NotFoundError](err):
			http.Error(w, "there is no such list or certificate", http.StatusNotFound)
			return
		case err != nil:
			s.limited.Warn("a list or certificate cannot be read", "path", r.URL.Path, "error", err.Error())
			http.Error(w, "it cannot be read at this moment", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data) // the client may have gone; of HEAD, net/http sends no body
	})
}

// published returns what a path names, with its media type (RFC 5280, 4.2.1.13 and RFC 2585, 4).
func (s *Server) published(ctx context.Context, path string) (kind string, data []byte, err error) {
	folder, file, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	list, isList := strings.CutSuffix(file, ".crl")
	name, isCert := strings.CutSuffix(file, ".cer")
	switch {
	case folder == "crl" && isList:
		name = list
	case folder == "ca" && isCert:
	default:
		return "", nil, fs.ErrNotExist
	}
	all, err := s.service.Authorities(ctx)
	if err != nil {
		return "", nil, err
	}
	for _, a := range all {
		if a.Name != name {
			continue
		}
		if !isList {
			return "application/pkix-cert", a.Certificate.Raw, nil
		}
		data, err = s.service.PublishedList(ctx, a)
		return "application/pkix-crl", data, err
	}
	return "", nil, fs.ErrNotExist
}
