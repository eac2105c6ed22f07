package cabackup

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kedge/internal/cadir"
)

// The names of files in a backup that are not those of files in the folder of a CA.
const (
	manifestName = "backup.json"
	ledgerName   = "ledger.db" // always a SQLite ledger, wherever the CA has its own
)

// The folders in a backup.
const (
	listFolder    = "crl"
	segmentFolder = "archive"
)

// allowed reports whether a backup may contain a file with this name. Nothing else is taken from the
// folder of a CA, such as a file with the password of a key, and nothing else is unpacked.
func allowed(name string) bool {
	dir, base := path.Split(name)
	if strings.HasPrefix(base, ".") || strings.ContainsAny(base, "\\:\x00") || !filepath.IsLocal(base) {
		return false
	}
	extension := path.Ext(base)
	switch dir {
	case "":
		return slices.Contains([]string{ledgerName, cadir.SettingsName, cadir.AWSName}, base) || slices.Contains([]string{".pem", ".key", ".key-uri", ".csr"}, extension)
	case listFolder + "/":
		return slices.Contains([]string{".crl", ".der", ".pushed"}, extension)
	case segmentFolder + "/":
		return isSegment(base)
	}
	return false
}

// isSegment reports whether a file has the name of a segment of an archive: see package segment.
func isSegment(base string) bool {
	return strings.HasPrefix(base, "segment-") && path.Ext(base) == ".kedge"
}

// isPublic reports whether a file is unpacked to be verified: the ledger, its archive and certificates. The
// others, with the keys, stay in memory until a CA is restored.
func isPublic(name string) bool {
	return name == ledgerName || path.Ext(name) == ".pem" || path.Dir(name) == segmentFolder
}
