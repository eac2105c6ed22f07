package hostdir

import (
	"encoding/json"
	"errors"
	"time"

	"kedge/internal/enrollapi"
)

const recordSchema = 1

// Record is what is known of a pair besides its certificate: identity.json.
type Record struct {
	Schema      int    `json:"schema"`
	Server      string `json:"server"` // URL
	CAKey       string `json:"ca_key"` // hash of the key of the root that the leaf leads to, in hexadecimal
	SystemRoots bool   `json:"system_roots,omitempty"`
	Token       string `json:"token,omitempty"` // id of the token that the host enrolled with

	Name    string `json:"name"`
	Profile string `json:"profile"`
	Serial  string `json:"serial"` // in hexadecimal

	// Answered is when the answer came, by this host's clock; the window is in seconds from then on.
	// So a wrong clock does no harm while it goes at the right pace.
	Answered time.Time        `json:"answered"`
	Renew    enrollapi.Window `json:"renew"`

	// Key names a key that has no file: in hardware. The last three say how it is opened.
	Key          string `json:"key,omitempty"`
	KeyPlace     string `json:"key_place"`
	KeyType      string `json:"key_type"`
	PasswordFrom string `json:"key_password_from,omitempty"`
	Library      string `json:"pkcs11_lib,omitempty"`
	Device       string `json:"tpm_device,omitempty"`

	AWS *enrollapi.AWS `json:"aws,omitempty"`
}

// parseRecord reads what encode writes.
func parseRecord(data []byte) (r Record, err error) {
	if json.Unmarshal(data, &r) != nil || r.Server == "" || r.CAKey == "" {
		return r, errors.New("is not as kedge wrote it")
	}
	if r.Schema != recordSchema {
		return r, errors.New("was written by another version of kedge")
	}
	return r, nil
}

func (r Record) encode() ([]byte, error) {
	r.Schema = recordSchema
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}

// State is what the last tries to renew came to.
type State struct {
	LastTry  time.Time `json:"last_try,omitzero"`
	NextTry  time.Time `json:"next_try,omitzero"` // not before, while LastTry is not in the future
	Failures int       `json:"failures,omitempty"`
	Error    string    `json:"error,omitempty"` // of the last try
	// Ended is set if the server renews the certificate no more, by its last answer.
	Ended *Ended `json:"ended,omitempty"`
	// Hooks are the commands that ran after the last renewal; nil: none did.
	Hooks *Hooks `json:"hooks,omitempty"`
	// Removing is the serial of a certificate that was revoked at the server, while its files are removed.
	Removing string `json:"removing,omitempty"`
}

// Ended is when and why a server refused a renewal, so that the host has to enroll anew.
type Ended struct {
	Serial string    `json:"serial"` // of the certificate
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Hooks are the commands that succeeded since a certificate came into use.
type Hooks struct {
	Serial string   `json:"serial"` // of the certificate
	Ran    []string `json:"ran"`    // command lines
}
