package iam

import (
	"cmp"
	"encoding/xml"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Namespace of the answers (API, "Making Query Requests").
const Namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// Answer is the answer to a call.
type Answer struct {
	action    string
	result    any // the members of the result; nil: the operation has none
	requestID string
}

// SetRequestID sets the id of the request, which the answer repeats.
func (a *Answer) SetRequestID(id string) { a.requestID = id }

// MarshalXML writes the answer in the form of the query protocol (Smithy, "AWS query protocol").
func (a *Answer) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	element := func(name string) xml.StartElement { return xml.StartElement{Name: xml.Name{Local: name}} }
	response := element(a.action + "Response")
	response.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: Namespace}}
	err := e.EncodeToken(response)
	if a.result != nil {
		err = errors.Join(err, e.EncodeElement(a.result, element(a.action+"Result")))
	}
	metadata := struct {
		RequestID string `xml:"RequestId"`
	}{a.requestID}
	return errors.Join(err, e.EncodeElement(metadata, element("ResponseMetadata")), e.EncodeToken(response.End()))
}

// list is a list of the query protocol, whose element is there if it is empty as well: clients read an
// element that is missing as no list at all.
type list[T any] struct {
	Members []T `xml:"member"`
}

// page is the part of a list that an answer has (API, "IsTruncated" and "Marker").
type page struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// stamp returns a time as answers have it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// encoded returns a policy document as answers have it: percent-encoded by RFC 3986 (API, GetRole).
func encoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// boundaryOf is AttachedPermissionsBoundary.
type boundaryOf struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// boundaryElement returns the element of a boundary, nil if there is none.
func boundaryElement(arn string) *boundaryOf {
	if arn == "" {
		return nil
	}
	return &boundaryOf{"PermissionsBoundaryPolicy", arn}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
