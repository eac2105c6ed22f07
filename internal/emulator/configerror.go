package emulator

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"reflect"
)

// UnknownMemberError is a member of a configuration file that an object does not have.
type UnknownMemberError struct {
	Path  string   // JSON pointer (RFC 6901) of the member
	Known []string // the members that the object can have
}

func (e *UnknownMemberError) Error() string {
	return fmt.Sprintf("the member %q at %s is unknown", jsontext.Pointer(e.Path).LastToken(), e.Path)
}

// configProblem returns what is wrong with a configuration file that cannot be decoded, in words of its own.
func configProblem(data []byte, err error) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	if broken, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		line := 1 + bytes.Count(data[:min(int(broken.ByteOffset), len(data))], []byte("\n"))
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return fmt.Errorf("line %d: the member %q is there twice", line, broken.JSONPointer.LastToken())
		}
		return fmt.Errorf("line %d: it is not JSON from here on", line)
	}
	wrong, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case ok && errors.Is(err, json.ErrUnknownName):
		return &UnknownMemberError{Path: string(wrong.JSONPointer), Known: membersOf(wrong.GoType)}
	case ok && wrong.JSONPointer == "":
		return errors.New("it is not a JSON object")
	case ok:
		return fmt.Errorf("%s is not what this member takes", wrong.JSONPointer)
	}
	return err
}

// membersOf returns the names of the members of an object, in their order.
func membersOf(object reflect.Type) (names []string) {
	if object == nil || object.Kind() != reflect.Struct {
		return nil
	}
	for field := range object.Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}
