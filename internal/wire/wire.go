// Package wire is the protocol between package pkcs11 and the program kedge-pkcs11, which
// loads the module. See the comment of package pkcs11 for what is said; here is how.
//
// A frame is its length, four bytes in network order, and a message. A message is a sequence of
// numbers (unsigned varints), byte strings (a number of bytes, and they) and lists (a number of
// elements, and they), in the order of the fields of Request and Response. Both ends are on one
// machine and of one release: the first request carries Version, and nothing is optional.
package wire

// Version is the first thing that a parent sends. Another version is refused: the two programs
// come from one release.
const Version = 2

// Few requests, at most, make one signature. An Eager reader begins to poll after as many.
const Few = 16

// MaxFrame bounds a message. A token full of certificates fits.
const MaxFrame = 16 << 20

// Op is what is asked for.
type Op uint64

// The requests. Each lists the fields of Request that it reads, and which of Response are set.
const (
	OpLoad     Op = iota + 1 // Object: Version; Data: path of the module -> Library
	OpSlots                  // -> Slots that have a token
	OpFind                   // Slot; Templates: what must match, what to read, lists to read as a whole -> Objects
	OpLogin                  // Slot, Auth, PIN
	OpSign                   // Slot, Object, Mechanism, Params, Data; Auth, PIN: of this one use -> Data
	OpGenerate               // Slot, Mechanism; Templates: public, private -> Objects: public, private
	OpCreate                 // Slot; Templates: the object -> Objects
	OpDestroy                // Slot, Object
	OpForget                 // Slot: close its sessions, which logs out
)

// Auth is how a login goes.
type Auth uint64

// The ways to log in.
const (
	AuthNone Auth = iota // not at all
	AuthPIN              // with the PIN of the request
	AuthPad              // the token asks by itself: the protected authentication path
)

// Attribute is a CK_ATTRIBUTE. Its value is as the module has it: see Ulong.
type Attribute struct {
	Type  uint64
	Value []byte
}

// Request is what the parent sends. ID is not zero, and comes back in the response; requests
// are worked on at the same time, and answered in any order.
type Request struct {
	ID        uint64
	Op        Op
	Slot      uint64
	Object    uint64
	Mechanism uint64
	Params    []uint64
	Auth      Auth
	Data      []byte
	PIN       []byte
	Templates [][]Attribute
}

// Response answers one request.
type Response struct {
	ID      uint64
	Code    uint64 // CK_RV: 0, or why Call failed
	Call    string // the function that failed
	Words   string // further words, where Code alone is not enough
	Data    []byte
	Library Library
	Slots   []Slot
	Objects []Object
}

// Library is CK_INFO.
type Library struct {
	Manufacturer, Description string
	Major, Minor              uint64
}

// Slot is CK_SLOT_INFO and CK_TOKEN_INFO, without the blanks that pad their fields, and the
// mechanisms of the token.
type Slot struct {
	ID                              uint64
	Description, Manufacturer       string
	Label, TokenManufacturer, Model string
	Serial                          string
	Flags                           uint64
	MaxSessions                     uint64
	Mechanisms                      []uint64
}

// Object is a handle, and those of the attributes asked for that could be read.
type Object struct {
	Handle     uint64
	Attributes []Attribute
}

// Get returns the value of an attribute, nil where it is absent.
func (o Object) Get(typ uint64) []byte {
	for _, a := range o.Attributes {
		if a.Type == typ {
			return a.Value
		}
	}
	return nil
}
