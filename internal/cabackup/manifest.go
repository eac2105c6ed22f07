package cabackup

import (
	"encoding/json"
	"time"
)

// format is the version of the layout of a backup. It changes when an older kedge-ca would restore less than
// there is.
const format = 1

// Manifest states what is in a backup. The tags are those of kedge-ca's JSON.
type Manifest struct {
	Format      int         `json:"format"`
	MadeAt      time.Time   `json:"made_at"`
	MadeBy      string      `json:"made_by"` // version of the program
	Entries     int64       `json:"entries"` // of the ledger: the number of the last one
	Head        string      `json:"head"`    // SEQ:HASH
	Authorities []Authority `json:"authorities"`
	Files       []string    `json:"files"`        // names in the backup, without that of the manifest
	NotIncluded []string    `json:"not_included"` // names of files in the folder of the CA
}

// Authority is an authority of a CA in a backup.
type Authority struct {
	Name        string `json:"name"`
	Subject     string `json:"subject"` // RFC 2253
	Fingerprint string `json:"sha256"`  // of its certificate, in hex
	State       string `json:"state"`
	Key         Key    `json:"key"`
	KeyURI      string `json:"key_uri,omitempty"` // where its key is, if that is elsewhere
}

// Key is where the key of an authority is.
type Key string

// The values of Key.
const (
	Encrypted Key = "encrypted" // in the backup, in a file with a password, which is not in it
	Plain     Key = "plain"     // in the backup, in a file without a password
	Elsewhere Key = "elsewhere" // not in the backup: in hardware, in AWS KMS or in a file outside the folder
	NoKey     Key = "none"      // not in the folder of the CA

	// Unreadable is in the backup, in a file that is no private key that can be used without hardware.
	Unreadable Key = "unreadable"
)

func (m *Manifest) encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

func decodeManifest(data []byte) (m Manifest, err error) {
	if json.Unmarshal(data, &m) != nil || m.Format < 1 {
		return m, wrong(Foreign, "is not a backup of kedge-ca: its %s cannot be read", manifestName)
	}
	if m.Format > format {
		return m, wrong(Newer, "was made by kedge-ca %s in a format (%d) that this one does not have", m.MadeBy, m.Format)
	}
	return m, nil
}
