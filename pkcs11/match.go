package pkcs11

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"kedge/internal/wire"
)

// checkKnown refuses an attribute of the path that has no meaning here. Nothing can match
// it, and to ignore it could pick the wrong key.
func (u URI) checkKnown() error {
	for _, a := range u.path {
		if !slices.Contains(pathNames(), a.name) {
			return fmt.Errorf("%s: the attribute %s is not known, so nothing can match", u, a.name)
		}
	}
	return nil
}

// has reports whether an attribute is absent, or has this value.
func (u URI) has(name, value string) bool {
	wanted, ok := u.lookup(name)
	return !ok || wanted == value
}

func (u URI) matchesLibrary(l wire.Library) bool {
	return u.has("library-manufacturer", l.Manufacturer) && u.has("library-description", l.Description) &&
		u.has("library-version", fmt.Sprintf("%d.%d", l.Major, l.Minor))
}

func (u URI) matchesSlot(s wire.Slot) bool {
	return u.has("slot-id", strconv.FormatUint(s.ID, 10)) && u.has("slot-description", s.Description) &&
		u.has("slot-manufacturer", s.Manufacturer) && u.has("token", s.Label) && u.has("serial", s.Serial) &&
		u.has("model", s.Model) && u.has("manufacturer", s.TokenManufacturer)
}

// matchesObject compares label and id as a whole: an id that begins with the wanted one is
// another one.
func (u URI) matchesObject(o wire.Object) bool {
	return u.has("object", string(o.Get(attrLabel))) && u.has("id", string(o.Get(attrID)))
}

// uriOf returns a URI that matches the object and, as far as the token can tell them apart, no
// other. The query is what u says of module and pin-source. typ may be empty.
func (u URI) uriOf(s wire.Slot, o wire.Object, typ string) URI {
	exact := u.uriOfToken(s)
	if id := o.Get(attrID); len(id) > 0 {
		exact = exact.with("id", string(id))
	}
	if label := o.Get(attrLabel); len(label) > 0 || len(o.Get(attrID)) == 0 {
		exact = exact.with("object", string(label))
	}
	if typ != "" {
		exact = exact.with("type", typ)
	}
	return exact
}

// uriOfToken identifies a token by serial and label, and by its slot where it lacks a serial.
func (u URI) uriOfToken(s wire.Slot) URI {
	exact := URI{query: u.without("pin-value").query}
	if s.Serial == "" {
		exact = exact.with("slot-id", strconv.FormatUint(s.ID, 10))
	} else {
		exact = exact.with("serial", s.Serial)
	}
	return exact.with("token", s.Label)
}

// tokens lists the initialised tokens that match the URI. There may be none.
func (p *process) tokens(ctx context.Context, u URI) (matching, all []wire.Slot, err error) {
	if err := u.checkKnown(); err != nil {
		return nil, nil, err
	}
	a, err := p.call(ctx, &wire.Request{Op: wire.OpSlots})
	if err != nil {
		return nil, nil, fmt.Errorf("list tokens: %w", err)
	}
	for _, s := range a.Slots {
		if s.Flags&flagTokenInitialized == 0 {
			continue
		}
		all = append(all, s)
		if u.matchesLibrary(p.library) && u.matchesSlot(s) {
			matching = append(matching, s)
		}
	}
	return matching, all, nil
}

// find lists the objects of a class on a token that match the URI, with label, id and these lists of
// attributes: of the first list what it has, of each other one all or nothing. Tokens are slow to
// refuse them one by one.
func (p *process) find(ctx context.Context, s wire.Slot, class uint64, u URI, read ...[]uint64) ([]wire.Object, error) {
	match := []wire.Attribute{{Type: attrClass, Value: wire.Ulong(class)}}
	// The token narrows; whether it compares well is not relied on.
	if id, ok := u.lookup("id"); ok && id != "" {
		match = append(match, wire.Attribute{Type: attrID, Value: []byte(id)})
	}
	if label, ok := u.lookup("object"); ok && label != "" {
		match = append(match, wire.Attribute{Type: attrLabel, Value: []byte(label)})
	}
	templates := [][]wire.Attribute{match, {{Type: attrLabel}, {Type: attrID}}}
	for i, list := range read {
		if i > 0 {
			templates = append(templates, nil)
		}
		for _, typ := range list {
			templates[i+1] = append(templates[i+1], wire.Attribute{Type: typ})
		}
	}
	a, err := p.call(ctx, &wire.Request{Op: wire.OpFind, Slot: s.ID, Templates: templates})
	if err != nil {
		return nil, fmt.Errorf("look into token %q: %w", s.Label, err)
	}
	return slices.DeleteFunc(a.Objects, func(o wire.Object) bool { return !u.matchesObject(o) }), nil
}

// NamesObject reports whether the URI selects an object of a token, by label or id.
func (u URI) NamesObject() bool {
	_, label := u.lookup("object")
	_, id := u.lookup("id")
	return label || id
}
