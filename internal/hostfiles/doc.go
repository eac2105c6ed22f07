// Package hostfiles is the way in which a key and its certificate come onto a disk, are resumed
// after the process was killed, and are replaced together.
//
// The key is written before anything is issued for it, so that a certificate never exists without
// its key, and NAME.pem last of all. So NAME.key without NAME.pem is what an interrupted run left,
// or what another process works on at this moment: whoever has the lock of NAME.key goes on with
// it. A key that is replaced stays NAME.key.new until its certificate is in NAME.pem: from any
// moment on, the next run finds the new key by that name, or the new certificate in the file.
//
// A name alone is no proof that a run was interrupted: a user who can write to the folder could put a key
// there to have it certified. A key is resumed only as [safefile.OpenLeftover] allows, its content
// comes from the file that was checked, and the caller is told, so that it can say so.
//
// The package knows neither a CA nor flags. Who issues, and what is asked of it, is the caller's;
// certificates are given to it when they exist.
package hostfiles
