package certinfo

import (
	"bytes"
	"fmt"
	"io"

	"kedge/ca/issuance"
	"kedge/internal/cli"
	"kedge/internal/report"
)

// WriteStatus writes the state of a CA for a person.
func WriteStatus(out io.Writer, c *issuance.Status) error {
	var text bytes.Buffer
	if err := writeAuthorities(&text, c.Authorities); err != nil {
		return err
	}
	n := c.Certificates
	fmt.Fprintln(&text)
	err := report.WriteFields(&text, []report.Field{
		{"certificates", fmt.Sprintf("%d: %d valid, %d pending, %d expired, %d revoked (%d on hold)", n.Total, n.Valid, n.Pending, n.Expired, n.Revoked, n.Held)},
		{"without successor", describeLeaves(c.Leaves)},
		{"rotation", c.Rotation},
		{"ledger", c.Ledger},
		{"head", c.Head},
	})
	if err != nil {
		return err
	}
	if len(c.Warnings) > 0 {
		writeItems(&text, "Warnings:", c.Warnings)
	}
	if len(c.Needs) > 0 {
		writeItems(&text, "To do:", c.Needs)
	} else {
		fmt.Fprintln(&text, "\nNothing needs doing.")
	}
	return report.Write(out, text.Bytes())
}

func writeItems(w io.Writer, head string, items []string) {
	fmt.Fprintf(w, "\n%s\n", head)
	for _, item := range items {
		fmt.Fprintln(w, "-", cli.Printable(item))
	}
}

func writeAuthorities(w io.Writer, all []issuance.AuthorityStatus) error {
	t := report.NewTable(w, "AUTHORITY", "STATE", "VALID UNTIL", "KEY", "REVOKED", "LIST", "NEXT LIST")
	for _, a := range all {
		state, key, number, next := a.State, "elsewhere", "none", ""
		if a.Issuing {
			state += ", issuing"
		}
		if a.CertificateRevoked {
			state += ", revoked"
		}
		if a.KeyHere {
			key = "here"
		}
		if a.CRL != nil {
			number, next = fmt.Sprint(a.CRL.Number), report.Time(a.CRL.NextUpdate)
		}
		t.Add(a.Name, state, report.Time(a.NotAfter), key, fmt.Sprint(a.Revoked), number, next)
	}
	return t.Flush()
}

// describeLeaves is empty when all leaves are looked after.
func describeLeaves(l issuance.LeavesStatus) string {
	if l == (issuance.LeavesStatus{}) {
		return ""
	}
	return fmt.Sprintf("%d expired, %d nearly expired", l.Expired, l.Expiring)
}
