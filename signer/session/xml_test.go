package session

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"strings"
	"testing"
)

func TestXMLTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ document, path, want string }{
		{"<a>b</a>", "a", "b"},
		{"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\r\n <b1>c</b1>\r\n</a>\n", "a>b1", "c"},
		{"<a><b>c</b><b>d</b></a>", "a>b", "d"},
		{"<a><b><b>c</b></b></a>", "a>b>b", "c"},
		{"<a>b<c/>d<c></c></a >", "a", "bd"},
		{"<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</a>", "a", "<>&\"'A😀"},
		{"<a>b\r\nc\rd&#13;</a>", "a", "b\nc\nd\r"},
		{"<a b=\"&c;\">d > e</a>", "a", "d > e"},
		{"<a/>", "a", ""},
	} {
		texts, ok := xmlTexts([]byte(tt.document))
		if got, there := texts[tt.path]; !ok || !there || got != tt.want {
			t.Errorf("%q: %q, %t", tt.document, texts, ok)
		}
	}
	for _, document := range []string{
		strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300), "<a>" + strings.Repeat("b<c/>", 300) + "</a>", // reading takes the square
		"", " ", "a", "<a>", "<a", "<", "<>", "</a>", "<a></b>", "<a><b></a></b>", "<a></a><b></b>", "<a/><a/>", "<a/>b", "b<a/>", "< a/>",
		"<a b=\">\"/>", "<a <b/>", "<a>&nbsp;</a>", "<a>&</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#-1;</a>", "<a>\x01</a>",
		"<a>\xff</a>", "<a>]]></a>", "<a><!-- b --></a>", "<a><![CDATA[b]]></a>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a><?b?></a>", "{}",
	} {
		if texts, ok := xmlTexts([]byte(document)); ok {
			t.Errorf("%q: %q", document, texts)
		}
	}
}

// FuzzXMLTexts: what is read is what encoding/xml reads, but for attributes, at which nobody looks.
func FuzzXMLTexts(f *testing.F) {
	f.Add([]byte(goodXML()))
	f.Add([]byte("<a>b<c x=\"1\"/>&lt;&#65;&#x41;\r\n</a >"))
	f.Add([]byte("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"))
	attributes := regexp.MustCompile(`<[^>]*[ \t\r\n]|<\?`)
	f.Fuzz(func(t *testing.T, document []byte) {
		texts, ok := xmlTexts(document)
		if !ok {
			return
		}
		theirs, err := textsByXML(document)
		if err != nil && attributes.Match(document) {
			return
		}
		if err != nil || !maps.Equal(texts, theirs) {
			t.Errorf("%q: %q, encoding/xml says %q, %v", document, texts, theirs, err)
		}
	})
}

func textsByXML(document []byte) (map[string]string, error) {
	d, texts := xml.NewDecoder(bytes.NewReader(document)), map[string]string{}
	var path []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			texts[strings.Join(path, ">")] = ""
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 0 {
				texts[strings.Join(path, ">")] += string(token)
			}
		}
	}
}
