package advice

import "kedge/ca/ledger"

// Refused is about a server that said no.
func Refused(why ledger.Refusal) string {
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
