// Package hostfiles writes a key and its certificate to disk, resumes that after an interruption,
// and replaces them together.
//
// The key is written before anything is issued for it, so that a certificate never exists without
// its key, and NAME.pem last of all. So NAME.key without NAME.pem is what an interrupted run left,
// or what another process is working on: the process that holds the lock of NAME.key resumes it. A
// replacement key is NAME.key.new until its certificate is in NAME.pem: at any moment, the next run
// finds the new key by that name, or the new certificate in the file.
//
// The name alone does not prove that a run was interrupted: a user who can write to the folder
// could put a key there to have it certified. A key is resumed only as [safefile.OpenLeftover]
// allows, its content is read from the file that was checked, and the caller is told, so that it
// can warn.
//
// The package has neither a CA nor flags. The caller issues; it passes in the certificates.
package hostfiles
