package emulator

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault makes the emulator misbehave on purpose. Its text form, for ParseFault, is
//
//	[SERVICE:]KIND[=VALUE][*COUNT][@FIRST]
//
// SERVICE is sts, iam or rolesanywhere, which is the control plane; left out it is CreateSession. The fault meets COUNT
// requests, from the FIRST one on: lost@3 is the third request from now. The kinds, with what VALUE means:
//
//	delay=DURATION     answer that much later
//	skew=DURATION      clock skew, in the checks and in the Date header
//	status=CODE        an error answer with this HTTP status, 500 when left out
//	throttle           Throttling or ThrottlingException, in the form of the service
//	cut[=body]         close the connection, before the answer or in the middle of it
//	lost               do what is asked, and close the connection before the answer
//	html[=CODE]        a web page, as a proxy or a captive portal sends it, status 200 when left out
//	redirect[=URL]     302
//	huge[=BYTES]       a valid beginning, then that many bytes, 100 MB when left out
//	endless            a valid beginning, then bytes until the client gives up
//	body[=TEXT]        status 201 and this body, empty when left out
//
// for IAM Roles Anywhere only:
//
//	unavailable[=SECONDS]  503 ServiceUnavailableException with these retryAfterSeconds, 1 when left out
//
// and for CreateSession only, a real session in a wrong answer, or one that is too short:
//
//	short=DURATION     the session really expires then, for STS as well
//	wrong-role         another role than the one asked for
//	two-sets, no-sets  two credential sets, or none
//	expired            an Expiration one hour ago
//	remove=PATH        without this field, such as credentialSet.0.credentials.expiration
//	set=PATH=JSON      with this value in this field
type Fault struct {
	Kind    string
	Value   string
	Count   int // how many requests; 0 means 1
	First   int // which request is the first of them, counted from 1 when it is injected; 0 means 1
	Service FaultService
}

// FaultKinds returns the kinds of Fault, as listed there.
func FaultKinds() []string {
	return []string{
		"delay", "skew", "status", "throttle", "unavailable", "cut", "lost", "html", "redirect", "huge", "endless", "body",
		"wrong-role", "two-sets", "no-sets", "expired", "remove", "set", "short",
	}
}

// String prints what ParseFault reads.
func (f Fault) String() string {
	var b strings.Builder
	if f.Service != SessionFaults {
		b.WriteString(string(f.Service) + ":")
	}
	b.WriteString(f.Kind)
	if f.Value != "" {
		b.WriteString("=" + f.Value)
	}
	if f.Count > 1 || strings.ContainsAny(f.Value, "*@") { // the end of a value is not to be read as a number
		fmt.Fprintf(&b, "*%d", max(1, f.Count))
	}
	if f.First > 1 {
		fmt.Fprintf(&b, "@%d", f.First)
	}
	return b.String()
}

// ParseFault parses and checks the text form of a Fault.
func ParseFault(s string) (Fault, error) {
	var f Fault
	var err error
	service, rest := cutService(strings.TrimSpace(s))
	f.Service = service
	if rest, f.First, err = cutNumber(rest, '@'); err != nil {
		return Fault{}, fmt.Errorf("fault %q: the first request: %w", s, err)
	}
	if rest, f.Count, err = cutNumber(rest, '*'); err != nil {
		return Fault{}, fmt.Errorf("fault %q: the count: %w", s, err)
	}
	f.Kind, f.Value, _ = strings.Cut(rest, "=")
	return f, f.validate()
}

// cutNumber cuts a mark and a number off the end of s; 0 is none. A mark without a number after it is part of a value.
func cutNumber(s string, mark byte) (rest string, n int, err error) {
	i := strings.LastIndexByte(s, mark)
	if i < 0 {
		return s, 0, nil
	}
	if n, err = strconv.Atoi(s[i+1:]); err != nil {
		return s, 0, nil
	}
	if n < 1 {
		return "", 0, errors.New("it must be at least 1")
	}
	return s[:i], n, nil
}

func (f Fault) validate() error {
	err := f.checkValue()
	switch {
	case err != nil:
	case f.Service != SessionFaults && f.spoils():
		err = errors.New("it is for CreateSession alone")
	case f.Kind == "unavailable" && f.Service.isQuery():
		err = errors.New("it is for IAM Roles Anywhere alone; there is status=503")
	case f.Count < 0 || f.First < 0:
		err = errors.New("a number is negative")
	}
	if err != nil {
		return fmt.Errorf("fault %q: %w", f, err)
	}
	return nil
}

func (f Fault) checkValue() error {
	var err error
	switch f.Kind {
	case "delay", "skew", "short":
		_, err = time.ParseDuration(f.Value)
	case "status", "html":
		_, err = f.number(500, 200, 599)
	case "huge":
		_, err = f.number(0, 1, math.MaxInt32)
	case "unavailable":
		_, err = f.number(1, 1, math.MaxInt32)
	case "throttle", "lost", "endless", "wrong-role", "two-sets", "no-sets", "expired":
		if f.Value != "" {
			err = errors.New("it takes no value")
		}
	case "cut":
		if f.Value != "" && f.Value != "body" {
			err = errors.New(`the value can only be "body"`)
		}
	case "set":
		_, _, err = f.assignment()
	case "redirect", "body", "remove": // any text
	default:
		err = fmt.Errorf("unknown kind; there are %s", strings.Join(FaultKinds(), ", "))
	}
	return err
}

// spoils reports whether the fault is a wrong field in the answer to a real CreateSession.
func (f Fault) spoils() bool {
	return slices.Contains([]string{"wrong-role", "two-sets", "no-sets", "expired", "remove", "set", "short"}, f.Kind)
}

func (f Fault) number(missing, least, most int) (int, error) {
	if f.Value == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(f.Value)
	if err == nil && (n < least || n > most) {
		err = fmt.Errorf("%d is not between %d and %d", n, least, most)
	}
	return n, err
}

func (f Fault) duration() time.Duration {
	d, _ := time.ParseDuration(f.Value) // checked by validate
	return d
}

func (f Fault) assignment() (path string, value any, err error) {
	path, text, ok := strings.Cut(f.Value, "=")
	if !ok {
		return "", nil, fmt.Errorf("the value must be PATH=JSON")
	}
	return path, value, json.Unmarshal([]byte(text), &value)
}

// shorten returns the duration of a session of d.
func (f Fault) shorten(d time.Duration) time.Duration {
	if f.Kind == "short" {
		return f.duration()
	}
	return d
}

// spoil changes the right answer into a wrong one.
func (f Fault) spoil(answer map[string]any, s *Session) {
	sets, _ := answer["credentialSet"].([]any)
	switch f.Kind {
	case "wrong-role":
		setField(answer, "credentialSet.0.roleArn", s.RoleARN+"-other")
	case "two-sets":
		answer["credentialSet"] = append(sets, sets...)
	case "no-sets":
		answer["credentialSet"] = []any{}
	case "expired":
		setField(answer, "credentialSet.0.credentials.expiration", s.Issued.Add(-time.Hour).Format(time.RFC3339))
	case "remove":
		removeField(answer, f.Value)
	case "set":
		path, value, _ := f.assignment() // checked by validate
		setField(answer, path, value)
	}
}

func setField(answer map[string]any, path string, value any) {
	if parent, name := parentOf(answer, path); parent != nil {
		parent[name] = value
	}
}

func removeField(answer map[string]any, path string) {
	if parent, name := parentOf(answer, path); parent != nil {
		delete(parent, name)
	}
}

// parentOf walks a dotted path to the object that holds its last name; nil if there is none.
func parentOf(answer map[string]any, path string) (map[string]any, string) {
	names := strings.Split(path, ".")
	var at any = answer
	for _, name := range names[:len(names)-1] {
		switch node := at.(type) {
		case map[string]any:
			at = node[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(node) {
				return nil, ""
			}
			at = node[i]
		}
	}
	parent, _ := at.(map[string]any)
	return parent, names[len(names)-1]
}
