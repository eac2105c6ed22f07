package whowins

import (
	"maps"
	"slices"
	"strings"

	"kedge/internal/credfile"
)

// target is a place where kedge is configured, so that a tool could find it.
type target struct {
	kind    Kind // Process, Keys, Container or Metadata; Nothing: kedge is nowhere
	profile string
	file    string
	header  string // of the section in file
	rename  string // the header that it must have, if SDKs do not read it for a profile
	where   string // in words
}

// targetOf returns the place that is nearest for a tool: the profile it uses, an endpoint in its
// environment, another profile.
func (s *Situation) targetOf(t tool) *target {
	places := s.places()
	endpoint := s.endpointTarget()
	selected := s.selected(t)
	for _, place := range places {
		if place.profile == selected && (place.kind != Metadata || endpoint.kind == Nothing) {
			return place
		}
	}
	if endpoint.kind != Nothing || len(places) == 0 {
		return endpoint
	}
	return places[0]
}

// selected returns the name of the profile that a tool uses.
//
//go:noinline
func (s *Situation) selected(t tool) string {
	if s.profile != "" {
		return s.profile
	}
	for _, variable := range t.profiles {
		if name := s.get(variable); name != "" {
			return name
		}
	}
	return "default"
}

// endpointTarget returns an endpoint of kedge serve that the environment names.
func (s *Situation) endpointTarget() *target {
	if url := s.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"); s.served[url] {
		return &target{kind: Container, where: "the container endpoint " + withoutLogin(url)}
	}
	if url := s.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"); s.served[url] {
		return &target{kind: Metadata, where: "the metadata service " + withoutLogin(url)}
	}
	return &target{}
}

// places returns the sections of the files that lead to kedge: a credential_process first, then keys,
// then the address of kedge serve; each in the order of the names. The files in the user's home come last,
// if variables name others.
func (s *Situation) places() []*target {
	var found []*target
	for _, pathOf := range []func(string) string{func(name string) string { return s.filePath(name, s.expandHome) }, s.defaultPath} {
		for _, name := range []string{"config", "credentials"} {
			at := pathOf(name)
			if !slices.ContainsFunc(found, func(p *target) bool { return p.file == at }) {
				found = append(found, s.placesIn(name, at)...)
			}
		}
	}
	var sorted []*target
	for _, kind := range []Kind{Process, Keys, Metadata} {
		for _, place := range found {
			if place.kind == kind {
				sorted = append(sorted, place)
			}
		}
	}
	return sorted
}

func (s *Situation) placesIn(name, at string) (found []*target) {
	text := s.files[at].text
	sections, strict := credfile.ReadAsGo(text), map[string]map[string]string{}
	if values, err := credfile.ReadAsBotocore(text); err == nil {
		strict = values
	}
	for _, header := range slices.Sorted(maps.Keys(sections)) {
		place := s.place(name, header, section(sections[header], at, header))
		if place.kind == Nothing { // quotes that the Go SDK removes
			place = s.place(name, header, section(strict[header], at, header))
		}
		if place.kind != Nothing {
			found = append(found, place)
		}
	}
	return found
}

// place returns what a section has of kedge.
func (s *Situation) place(file, header string, values settings) *target {
	place := &target{profile: header, header: header}
	name, isProfile := strings.CutPrefix(header, "profile ")
	switch {
	case isProfile:
		place.profile = name
		if file == "credentials" {
			place.rename = name
		}
	case file == "config" && header != "default":
		place.rename = "profile " + header
	}
	for key, each := range values {
		place.file = each.file
		switch {
		case key == "credential_process" && s.kedge[s.process(values, "").Program]:
			place.kind = Process
		case place.kind == Process:
		case key == "aws_access_key_id" && s.keys(values, "", key).ours:
			place.kind = Keys
		case key == "ec2_metadata_service_endpoint" && s.served[each.value] && place.kind != Keys:
			place.kind = Metadata
		}
	}
	place.where = "[" + header + "] of " + place.file
	return place
}
