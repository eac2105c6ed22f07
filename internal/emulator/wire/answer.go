package wire

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

// Stamp sets the headers of every answer: the request id and the date.
func Stamp(w http.ResponseWriter, now time.Time) {
	w.Header().Set("X-Amzn-Requestid", NewUUID())
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
}

// NewUUID returns a random UUID (RFC 9562 5.4), as request ids and the ids of resources are.
func NewUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return FormatUUID(b)
}

// FormatUUID returns the text form of the first 16 bytes (RFC 9562 4).
func FormatUUID(b []byte) string {
	id := hex.EncodeToString(b[:16])
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// RequestID returns the request id of an answer that [Stamp] has stamped.
func RequestID(w http.ResponseWriter) string { return w.Header().Get("X-Amzn-Requestid") }

// WriteJSON writes an answer of the REST-JSON protocol.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	// It has only strings and numbers; invalid UTF-8 that a client sent becomes U+FFFD.
	data, _ := json.Marshal(value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// WriteJSONError writes an error as AWS's REST-JSON services do.
func WriteJSONError(w http.ResponseWriter, refusal *Error) {
	w.Header().Set("X-Amzn-Errortype", refusal.Code)
	body := map[string]any{"message": refusal.Message}
	if refusal.RetryAfter > 0 {
		body["retryAfterSeconds"] = refusal.RetryAfter
	}
	WriteJSON(w, refusal.Status, body)
}

// Metadata ends an answer of the query protocol. A struct that embeds it is an [XMLAnswer].
type Metadata struct {
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

// SetRequestID sets the request id of the answer.
func (m *Metadata) SetRequestID(id string) { m.RequestID = id }

// XMLAnswer is an answer of the query protocol.
type XMLAnswer interface{ SetRequestID(id string) }

// WriteXML writes an answer of the query protocol, with the request id of the headers.
func WriteXML(w http.ResponseWriter, status int, value XMLAnswer) {
	value.SetRequestID(RequestID(w))
	data, _ := xml.MarshalIndent(value, "", "  ") // only strings and numbers are in it
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

type errorResponse struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// SetRequestID sets the request id of the answer.
func (r *errorResponse) SetRequestID(id string) { r.RequestID = id }

// WriteXMLError writes an error as the query protocol does, in the XML namespace of the service.
func WriteXMLError(w http.ResponseWriter, namespace string, refusal *Error) {
	blame := "Sender"
	if refusal.Status >= http.StatusInternalServerError {
		blame = "Receiver"
	}
	WriteXML(w, refusal.Status, &errorResponse{Namespace: namespace, Type: blame, Code: refusal.Code, Message: refusal.Message})
}
