//go:build cgo && unix

package main

import (
	"errors"
	"strings"

	"github.com/miekg/pkcs11"

	"kedge/internal/wire"
)

// find lists the objects that match the first template, each with what it has of the attributes in
// the second, and with those of each further one that it has all of.
func (m *module) find(q *wire.Request, a *wire.Response) error {
	if len(q.Templates) < 2 {
		return errors.New("find needs what to match and what to read")
	}
	return m.pool(q.Slot).use(func(s pkcs11.SessionHandle) error {
		handles, err := m.handles(s, attributes(q.Templates[0]))
		if err != nil {
			return err
		}
		for _, h := range handles {
			a.Objects = append(a.Objects, m.read(s, h, q.Templates[1], q.Templates[2:]))
		}
		return nil
	})
}

func (m *module) handles(s pkcs11.SessionHandle, template []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := m.c.FindObjectsInit(s, template); err != nil {
		return nil, failed("C_FindObjectsInit", err)
	}
	const batch = 64
	var all []pkcs11.ObjectHandle
	for {
		some, _, err := m.c.FindObjects(s, batch)
		if err != nil {
			return nil, failed("C_FindObjects", err)
		}
		all = append(all, some...)
		if len(some) == 0 {
			return all, failed("C_FindObjectsFinal", m.c.FindObjectsFinal(s))
		}
	}
}

// read asks for one of the wanted attributes after the other where a token refuses the lot because of
// one.
func (m *module) read(s pkcs11.SessionHandle, h pkcs11.ObjectHandle, wanted []wire.Attribute, more [][]wire.Attribute) wire.Object {
	o := wire.Object{Handle: uint64(h)}
	values, err := m.c.GetAttributeValue(s, h, attributes(wanted))
	if err != nil {
		for _, one := range attributes(wanted) {
			if value, err := m.c.GetAttributeValue(s, h, []*pkcs11.Attribute{one}); err == nil {
				values = append(values, value...)
			}
		}
	}
	for _, list := range more {
		if some, err := m.c.GetAttributeValue(s, h, attributes(list)); err == nil {
			values = append(values, some...)
		}
	}
	for _, v := range values {
		if v.Value != nil {
			o.Attributes = append(o.Attributes, wire.Attribute{Type: uint64(v.Type), Value: v.Value})
		}
	}
	return o
}

// generate makes a key pair.
func (m *module) generate(q *wire.Request, a *wire.Response) error {
	if len(q.Templates) != 2 {
		return errors.New("generate needs a public and a private template")
	}
	return m.pool(q.Slot).useWritable(func(s pkcs11.SessionHandle) error {
		public, private, err := m.c.GenerateKeyPair(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(uint(q.Mechanism), nil)},
			attributes(q.Templates[0]), attributes(q.Templates[1]))
		if err != nil {
			return failed("C_GenerateKeyPair", err)
		}
		a.Objects = []wire.Object{{Handle: uint64(public)}, {Handle: uint64(private)}}
		return nil
	})
}

// create makes an object of its attributes.
func (m *module) create(q *wire.Request, a *wire.Response) error {
	if len(q.Templates) != 1 {
		return errors.New("create needs a template")
	}
	return m.pool(q.Slot).useWritable(func(s pkcs11.SessionHandle) error {
		h, err := m.c.CreateObject(s, attributes(q.Templates[0]))
		if err != nil {
			return failed("C_CreateObject", err)
		}
		a.Objects = []wire.Object{{Handle: uint64(h)}}
		return nil
	})
}

func (m *module) destroy(q *wire.Request) error {
	return m.pool(q.Slot).useWritable(func(s pkcs11.SessionHandle) error {
		return failed("C_DestroyObject", m.c.DestroyObject(s, pkcs11.ObjectHandle(q.Object)))
	})
}

func attributes(list []wire.Attribute) []*pkcs11.Attribute {
	all := make([]*pkcs11.Attribute, len(list))
	for i, a := range list {
		all[i] = &pkcs11.Attribute{Type: uint(a.Type), Value: a.Value}
	}
	return all
}

// unpad removes the blanks that fill the fixed fields of CK_TOKEN_INFO and its like; some
// modules fill them with zeros.
func unpad(s string) string { return strings.TrimRight(s, " \x00") }
