package wire

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"
)

// textAnswer is an answer of the query protocol with a list, as those of STS and IAM are.
type textAnswer struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ TextResponse"`
	Text    string   `xml:"TextResult>Text"`
	Members []string `xml:"TextResult>List>member"`
	Metadata
}

// FuzzXML: whatever text is in an answer, it is one document with the elements that belong there, and a client reads
// the text again; characters that XML does not have become U+FFFD.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{"", "a", "<b>&amp;]]>", "</Message><Code>Allowed</Code>", "\x00\x1b\ufffe\U0010ffff", "\xff\xed\xa0\x80", "a\r\nb\tc", `"'`, "<!--", "<?xml?>", "&#0;"} {
		f.Add(seed, "member")
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		w := httptest.NewRecorder()
		w.Header().Set("X-Amzn-Requestid", "id")
		WriteXMLError(w, "https://iam.amazonaws.com/doc/2010-05-08/", NewError(http.StatusBadRequest, "ValidationError", text, ""))
		var refusal errorResponse
		readXML(t, w.Body.String(), &refusal, "ErrorResponse Error Type Code Message RequestId")
		if refusal.Type != "Sender" || refusal.Code != "ValidationError" || refusal.Message != inXML(text) || refusal.RequestID != "id" {
			t.Errorf("%q becomes %+v", text, refusal)
		}
		w = httptest.NewRecorder()
		WriteXML(w, http.StatusOK, &textAnswer{Text: text, Members: []string{other, text}})
		var answer textAnswer
		readXML(t, w.Body.String(), &answer, "TextResponse TextResult Text List member member ResponseMetadata RequestId")
		if answer.Text != inXML(text) || len(answer.Members) != 2 || answer.Members[0] != inXML(other) || answer.Members[1] != inXML(text) {
			t.Errorf("%q, %q become %+v", text, other, answer)
		}
	})
}

// readXML decodes a document, which must have these elements in this order, and nothing but text besides.
func readXML(t *testing.T, document string, into any, elements string) {
	t.Helper()
	if err := xml.Unmarshal([]byte(document), into); err != nil {
		t.Fatalf("%v: %q", err, document)
	}
	var found []string
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := d.Token()
		if token == nil {
			break // the end: Unmarshal has read it without an error
		}
		if err != nil {
			t.Fatalf("%v: %q", err, document)
		}
		switch token := token.(type) {
		case xml.StartElement:
			found = append(found, token.Name.Local)
		case xml.EndElement, xml.CharData:
		default:
			t.Fatalf("%T in %q", token, document)
		}
	}
	if got := strings.Join(found, " "); got != elements {
		t.Errorf("elements %s, want %s", got, elements)
	}
}

// inXML returns a text with the characters that XML has (XML 1.0, 2.2, Char).
func inXML(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000:
			b.WriteRune(r)
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}
