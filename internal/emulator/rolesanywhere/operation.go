package rolesanywhere

import (
	"net/http"
	"strings"

	"kedge/internal/emulator/wire"
)

// Operation is an operation of the control plane.
type Operation struct {
	Name   string
	Method string
	Path   string // {id} is the resource
	Status int    // of the answer
	run    func(*Store, *Call) (any, *wire.Error)
	target func(*Store, *Call) string // the resource that the caller must be allowed to use

	creates Kind // that a request may give tags; empty: nothing
}

// Find returns the operation of a request, by its method and the path of its request line, and the
// resource that the path names, decoded.
func Find(method, rawPath string) (_ Operation, id string, ok bool) {
	for _, op := range Operations() {
		if id, ok := op.matches(method, rawPath); ok {
			return op, id, true
		}
	}
	return Operation{}, "", false
}

func (op Operation) matches(method, rawPath string) (id string, ok bool) {
	want, got := strings.Split(op.Path, "/"), strings.Split(rawPath, "/")
	if method != op.Method || len(want) != len(got) {
		return "", false
	}
	for i, part := range want {
		if part != "{id}" {
			ok = got[i] == part
		} else {
			id, ok = wire.DecodePath(got[i])
		}
		if !ok {
			return "", false
		}
	}
	return id, true
}

// Operations returns all operations (model).
func Operations() []Operation {
	all := []Operation{
		{Name: "CreateTrustAnchor", Method: http.MethodPost, Path: "/trustanchors", Status: http.StatusCreated, run: createTrustAnchor, creates: KindTrustAnchor},
		{Name: "UpdateTrustAnchor", Method: http.MethodPatch, Path: "/trustanchor/{id}", run: updateTrustAnchor},
		{Name: "PutNotificationSettings", Method: http.MethodPatch, Path: "/put-notifications-settings", run: putNotificationSettings, target: anchorTarget},
		{Name: "ResetNotificationSettings", Method: http.MethodPatch, Path: "/reset-notifications-settings", run: resetNotificationSettings, target: anchorTarget},
		{Name: "CreateProfile", Method: http.MethodPost, Path: "/profiles", Status: http.StatusCreated, run: createProfile, creates: KindProfile},
		{Name: "UpdateProfile", Method: http.MethodPatch, Path: "/profile/{id}", run: updateProfile},
		{Name: "PutAttributeMapping", Method: http.MethodPut, Path: "/profiles/{id}/mappings", run: putAttributeMapping},
		{Name: "DeleteAttributeMapping", Method: http.MethodDelete, Path: "/profiles/{id}/mappings", run: deleteAttributeMapping},
		{Name: "ImportCrl", Method: http.MethodPost, Path: "/crls", Status: http.StatusCreated, run: importCRL, creates: KindCRL},
		{Name: "UpdateCrl", Method: http.MethodPatch, Path: "/crl/{id}", run: updateCRL},
		{Name: "GetSubject", Method: http.MethodGet, Path: "/subject/{id}", run: get(KindSubject)},
		{Name: "ListSubjects", Method: http.MethodGet, Path: "/subjects", run: list(KindSubject)},
		{Name: "ListTagsForResource", Method: http.MethodGet, Path: "/ListTagsForResource", run: listTags, target: queryTarget},
		{Name: "TagResource", Method: http.MethodPost, Path: "/TagResource", Status: http.StatusCreated, run: tagResource, target: taggedTarget},
		{Name: "UntagResource", Method: http.MethodPost, Path: "/UntagResource", run: untagResource, target: taggedTarget},
	}
	for _, of := range []struct {
		kind           Kind
		noun, nouns    string
		single, plural string
	}{
		{KindTrustAnchor, "TrustAnchor", "TrustAnchors", "/trustanchor/{id}", "/trustanchors"},
		{KindProfile, "Profile", "Profiles", "/profile/{id}", "/profiles"},
		{KindCRL, "Crl", "Crls", "/crl/{id}", "/crls"},
	} {
		all = append(all,
			Operation{Name: "Get" + of.noun, Method: http.MethodGet, Path: of.single, run: get(of.kind)},
			Operation{Name: "List" + of.nouns, Method: http.MethodGet, Path: of.plural, run: list(of.kind)},
			Operation{Name: "Delete" + of.noun, Method: http.MethodDelete, Path: of.single, run: remove(of.kind)},
			Operation{Name: "Enable" + of.noun, Method: http.MethodPost, Path: of.single + "/enable", run: enable(of.kind)},
			Operation{Name: "Disable" + of.noun, Method: http.MethodPost, Path: of.single + "/disable", run: disable(of.kind)},
		)
	}
	for i := range all {
		if all[i].Status == 0 {
			all[i].Status = http.StatusOK
		}
		if all[i].target == nil {
			all[i].target = pathTarget
		}
	}
	return all
}

// kind returns the kind of the resource that a path names.
func (op Operation) kind() Kind {
	switch {
	case strings.HasPrefix(op.Path, "/trustanchor"):
		return KindTrustAnchor
	case strings.HasPrefix(op.Path, "/profile"):
		return KindProfile
	case strings.HasPrefix(op.Path, "/crl"):
		return KindCRL
	}
	return KindSubject
}

func answer(r resource, previousAlias string) map[string]any {
	return map[string]any{r.base().kind.member(): r.detail(previousAlias)}
}

func get(kind Kind) func(*Store, *Call) (any, *wire.Error) {
	return func(s *Store, c *Call) (any, *wire.Error) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		r, refusal := s.byReference(c, kind)
		if refusal != nil {
			return nil, refusal
		}
		return answer(r, ""), nil
	}
}

// remove answers with the resource that was deleted. What happens to the CRLs of a trust anchor is not
// documented; here they stay, and revoke nothing.
func remove(kind Kind) func(*Store, *Call) (any, *wire.Error) {
	return func(s *Store, c *Call) (any, *wire.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		r, refusal := s.byReference(c, kind)
		if refusal != nil {
			return nil, refusal
		}
		return answer(r, ""), s.drop(r)
	}
}

func enable(kind Kind) func(*Store, *Call) (any, *wire.Error) { return switched(kind, enabled) }

func disable(kind Kind) func(*Store, *Call) (any, *wire.Error) { return switched(kind, disabled) }

func enabled(b *Base)  { b.Enabled = true }
func disabled(b *Base) { b.Enabled = false }

func switched(kind Kind, turn func(*Base)) func(*Store, *Call) (any, *wire.Error) {
	return func(s *Store, c *Call) (any, *wire.Error) {
		return change(s, c, kind, func(r resource) *wire.Error {
			turn(r.base())
			return nil
		})
	}
}

// change replaces the resource that a path names by a copy that edit has changed. If edit returns an
// error, nothing is kept.
func change[R resource](s *Store, c *Call, kind Kind, edit func(R) *wire.Error) (any, *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, refusal := s.byReference(c, kind)
	if refusal != nil {
		return nil, refusal
	}
	return s.edit(c, r, func(r resource) *wire.Error { return edit(r.(R)) })
}
