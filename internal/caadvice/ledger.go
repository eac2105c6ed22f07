package caadvice

import (
	"errors"
	"io/fs"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/advice"
	"kedge/internal/cabackup"
	"kedge/internal/cadir"
	"kedge/internal/filelock"
	"kedge/internal/localca"
	"kedge/internal/takeover"
)

// takenIn is about backups, and about what another CA left.
func takenIn() advice.Table {
	return advice.Table{
		advice.About(func(e *ledger.MissingError) string {
			if !e.Backup {
				return ""
			}
			return "give a file that \"kedge-ca ledger backup\" made, or the ledger.db of a CA"
		}),
		advice.Kind[*takeover.Error]("nothing was taken in; correct what is named and run the same again"),
		advice.Kind[*localca.LackingError]("run the same again when what is named above is there; or, when it is not needed: kedge-ca ledger import --nothing-missing"),
		advice.Kind[*localca.OtherCAError]("give a backup of this CA, or another folder with --dir; --another-ca takes the ledger all the same, but nothing is issued with it here"),
	}
}

// backup is about backups of a whole CA.
func backup() advice.Table {
	return advice.Table{
		advice.About(func(e *cabackup.FileError) string {
			switch e.Kind {
			case cabackup.NotForUs:
				return "give the secret key of a public key by which it was made: --identity FILE"
			case cabackup.Damaged:
				return "copy it again from where it was written, or use another backup"
			case cabackup.Newer:
				return "use the newer kedge-ca"
			case cabackup.Mixed:
				return "ledger: in the configuration and the files in the folder must be of one CA; a backup that is so cannot be used"
			default:
				return "give a file that \"kedge-ca backup\" made; a copy of the ledger alone is for kedge-ca ledger restore"
			}
		}),
		advice.Kind[*issuance.UncomparedError]("put the newest published list of each into crl/NAME.der, then compare and make new ones: kedge-ca crl, or with --take-list what they have revoked since"),
		advice.Kind[*cabackup.KeyError]("age-keygen makes a secret key, and age-keygen -y FILE writes its public key"),
	}
}

// opened is about the ledger when it is opened, read and written.
func opened() advice.Table {
	const damaged = "keep it as it is, find out who could write it, and go on from a backup that verifies: kedge-ca ledger restore"
	const busy = "wait for the other process, or end it if it hangs, and run it again"
	return advice.Table{
		advice.About(func(e *ledger.RefusedError) string { return refused(e.Reason) }),
		advice.About(func(e *ledger.AccessError) string { return accessTo(e.Path) + whoMay(e) }),
		advice.About(func(e *ledger.UnmovedError) string { return accessTo(e.Path) + asUser }),
		advice.About(func(e *cadir.AccessError) string { return accessTo(e.Path) + asUser }),
		advice.Kind[*ledger.ForeignError]("name the ledger.db of a CA, or a file that \"kedge-ca ledger backup\" made"),
		advice.Kind[*ledger.MissingError]("bring the ledger back with \"kedge-ca ledger restore\"; without a backup, \"kedge-ca init --adopt\" starts a new one, which knows nothing of what was issued before"),
		advice.Any("an init was interrupted: if nothing was ever issued here, move the ledger and ca.key away and run init again", issuance.ErrNoAuthority),
		advice.Kind[*issuance.OccupiedError]("a ledger holds one CA and what is below it; name another place under ledger: in the configuration"),
		advice.Kind[*ledger.DamagedError](damaged),
		advice.Kind[*ledger.BrokenError](damaged),
		advice.Kind[*ledger.ArchivingError]("wait until it has ended, and run the same again if something is left to archive"),
		advice.About(func(e *ledger.SegmentError) string { return lostSegment(e) }),
		advice.Kind[*ledger.ArchiveError](damagedSegment),
		advice.Kind[*ledger.NotEmptyError]("move it away first, and keep it: it may know more than the backup"),
		advice.Kind[*ledger.OlderSchemaError]("run \"kedge-ca status\" once as a user who may write the ledger: that brings it to the schema of this kedge-ca, and older ones refuse it from then on"),
		advice.Kind[*ledger.NewerSchemaError]("use the newer kedge-ca"),
		advice.Kind[*ledger.BusyError](busy),
		advice.Kind[*filelock.HeldError](busy),
		advice.Kind[*ledger.UnreachableError]("check the database and how it is named in the configuration, then run the same again: what was issued is gone on with"),
	}
}

const asUser = "run it as the user of the CA"

// whoMay describes how a ledger is read or written by a process that may not.
func whoMay(e *ledger.AccessError) string {
	if e.Write {
		return asUser + ", where the file and its folder can be written"
	}
	return asUser
}

const damagedSegment = "keep it as it is, and put the file back from a backup of the archive"

// lostSegment is about a segment of the archive that cannot be used.
func lostSegment(e *ledger.SegmentError) string {
	switch {
	case e.Unused:
		return "name the folder where it is with --to, or put it back from a backup of the archive; if it is lost, nothing of it has left the database: kedge-ca ledger archive --replace-lost writes another in its place"
	case errors.Is(e, fs.ErrNotExist):
		return "put it back from a backup of the archive, or name the folder where it is: --segments for reading, --to for archiving"
	case errors.Is(e, fs.ErrPermission):
		return asUser
	}
	return damagedSegment
}

// refused is about a server that said no.
func refused(why ledger.Refusal) string {
	switch why {
	case ledger.RefusedLogin:
		return "check the user under ledger: in the configuration, the password in PGPASSFILE, and who is let in by pg_hba.conf or by the pooler"
	case ledger.RefusedDatabase:
		return "make the database, or correct its name under ledger: in the configuration"
	case ledger.RefusedFull:
		return "run the same again when connections are free; how many kedge-ca takes at most is pool_max_conns in the address of the ledger"
	case ledger.RefusedReadOnly:
		return "name the server that writes under ledger: in the configuration, or all of them and target_session_attrs=read-write"
	case ledger.RefusedParameter:
		return "take that setting out of the address under ledger: in the configuration; kedge-ca needs none"
	case ledger.RefusedRights:
		return "let the user of the address do it: the owner of the database can GRANT it"
	case ledger.RefusedTLS:
		return "set sslmode in the address under ledger: in the configuration to what the server or the pooler takes"
	}
	return ""
}
