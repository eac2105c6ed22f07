package cadir

import (
	"os"
	"path/filepath"

	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

const (
	crlFolder = "crl"    // below that of the CA
	maxCRL    = 64 << 20 // many times what IAM Roles Anywhere takes
)

// CRLFiles are the paths of the two files of a certificate revocation list.
type CRLFiles struct{ PEM, DER string }

// crlFiles returns the paths of the list of an authority, or of the delta to it.
func (f Folder) crlFiles(authority string, delta bool) CRLFiles {
	base := filepath.Join(f.Dir, crlFolder, authority)
	if delta {
		base += ".delta"
	}
	return CRLFiles{PEM: base + ".crl", DER: base + ".der"}
}

// LastCRL reads the last complete list of an authority. path is where it is, or would be.
func (f Folder) LastCRL(authority string) (der []byte, path string, err error) {
	path = f.crlFiles(authority, false).DER
	der, err = safefile.ReadRegular(path, maxCRL)
	return der, path, err
}

// MakeCRLFolder makes the folder of the lists, where there is none.
func (f Folder) MakeCRLFolder() error {
	return os.MkdirAll(filepath.Join(f.Dir, crlFolder), 0o755)
}

// WriteCRL replaces the files of a list, or of the delta to it.
func (f Folder) WriteCRL(authority string, delta bool, der, pem []byte) (CRLFiles, error) {
	files := f.crlFiles(authority, delta)
	return files, atomicfile.WriteAll(
		atomicfile.File{Path: files.DER, Data: der, Mode: 0o644},
		atomicfile.File{Path: files.PEM, Data: pem, Mode: 0o644})
}
