package enroll

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"

	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

// estCertificates is an answer of certificates alone, each in DER.
type estCertificates [][]byte

// write sends an answer of EST. A refusal is text (RFC 7030, 4.2.3), as is a request that waits.
func (d estDoor) write(w http.ResponseWriter, o reply) {
	if o.refused != nil {
		writeRefusal(w, o)
		return
	}
	switch answer := o.answer.(type) {
	case estCertificates:
		d.writeCertificates(w, answer)
	case *enrollapi.Waiting:
		w.Header().Set("Retry-After", strconv.FormatInt(answer.PollAfter, 10))
		writeText(w, o.status, fmt.Sprintf("the request waits for the operator of the CA: kedge-ca approve %s", answer.ID))
	default: // there is nothing: RFC 7030, 4.5.2
		w.WriteHeader(http.StatusNoContent)
	}
}

func writeRefusal(w http.ResponseWriter, o reply) {
	if o.status == http.StatusUnauthorized { // RFC 7617, 2
		w.Header().Set("WWW-Authenticate", `Basic realm="kedge-ca", charset="UTF-8"`)
	}
	text := o.refused.message
	if hint := cmp.Or(o.refused.device, o.refused.hint); hint != "" {
		text += "\n" + hint
	}
	writeText(w, o.status, text)
}

// writeCertificates sends certificates in base64. RFC 8951, 3.1, has nobody read Content-Transfer-Encoding,
// but some clients still want it. The length is there because clients in devices may not read chunks.
func (d estDoor) writeCertificates(w http.ResponseWriter, certs [][]byte) {
	body, err := est.CertsOnly(certs...)
	if err != nil { // a certificate of this CA is larger than 4 GB
		writeText(w, http.StatusInternalServerError, err.Error())
		return
	}
	encode := est.Flat
	if d.label.Wrapped {
		encode = est.Wrapped
	}
	body = encode(body)
	header := w.Header()
	header.Set("Content-Type", est.CertsOnlyType)
	header.Set("Content-Transfer-Encoding", "base64")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client may have gone
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", est.TextType)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client may have gone
}
