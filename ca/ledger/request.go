package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"
)

// Request is a host's request for a certificate, which waits for the operator's decision. It never
// changes: one for another key, other names or another profile has another ID. A request that waits is
// in no entry, and no copy of the ledger; a host that still waits asks again.
type Request struct {
	ID       []byte   // SHA-256 of the key, the names and the profile
	Name     string   // the common name
	SANs     []string // the alternative names, in words
	Profile  string
	KeyHash  []byte     // ca.KeyHash
	KeyPlace string     // ca.KeyInFile, ca.KeyInTPM or ca.KeyInPKCS11, as the host states it; may be empty
	Address  netip.Addr // of the host that asked first; may be invalid if it is unknown

	// The ledger sets these.
	At, Expires time.Time
	New         bool // File has not had it before
}

// How many requests wait at most: of one IPv4 address or IPv6 network, and in all. They are few enough
// for an operator to read, and a row has less than 6 kB.
const (
	maxWaitingOfSource = 32
	maxWaiting         = 2048
	maxRequestTexts    = 4096 // bytes of names and profile
)

// TooManyRequestsError reports that a request is not kept, since others wait that the operator has not
// decided.
type TooManyRequestsError struct {
	Source string // of which these are; empty: all
	Limit  int
}

func (e *TooManyRequestsError) Error() string {
	if e.Source == "" {
		return fmt.Sprintf("%d requests of hosts wait for approval, which is the limit", e.Limit)
	}
	return fmt.Sprintf("%d requests from %s wait for approval, which is the limit", e.Limit, e.Source)
}

const (
	insertRequest = `INSERT INTO requests (id, common_name, names, profile, key_hash, key_place, address, source, asked_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	deleteRequest  = "DELETE FROM requests WHERE id = ?"
	expireRequests = "DELETE FROM requests WHERE expires_at < ?"
	readRequests   = "SELECT id, common_name, names, profile, key_hash, key_place, address, asked_at, expires_at FROM requests "
	countRequests  = "SELECT count(*), count(CASE WHEN source = ? THEN 1 END) FROM requests WHERE expires_at >= ?"
)

// sourceOf returns the network whose requests are counted together: a host has many IPv6 addresses.
func sourceOf(from netip.Addr) string {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	network, err := from.Prefix(bits)
	if err != nil {
		return "an unknown address"
	}
	return network.String()
}

func (r *Request) check() error {
	if len(r.ID) != sha256.Size || len(r.KeyHash) != sha256.Size || r.Name == "" || r.Profile == "" {
		return errors.New("keep a request: its ID, the hash of its key, its name or its profile is missing")
	}
	all := append([]string{r.Name, r.Profile, r.KeyPlace}, r.SANs...)
	if text := strings.Join(all, ""); len(text) > maxRequestTexts || strings.Contains(text, "\n") {
		return fmt.Errorf("keep a request: its names have more than %d bytes, or more than a line", maxRequestTexts)
	}
	for _, text := range all {
		if err := writable("name", text); err != nil {
			return fmt.Errorf("keep a request: %w", err)
		}
	}
	return nil
}

// File keeps a request for a time, until the operator decides, and returns it as it was kept first. At
// a limit the error is a *TooManyRequestsError, for a denied name a *DeniedError. One that waits already,
// or finds no room, takes no lock.
func (l *Ledger) File(ctx context.Context, r Request, lifetime time.Duration) (Request, error) {
	if err := r.check(); err != nil {
		return r, err
	}
	if waits, err := waiting(ctx, l.db, l.engine, "WHERE id = ? AND expires_at >= ?", r.ID, l.now().UnixMicro()); err != nil || len(waits) != 0 {
		return first(waits), l.engine.explain(err)
	}
	if err := checkRoom(ctx, l.db, l.engine, sourceOf(r.Address), l.now()); err != nil {
		return r, l.engine.explain(err)
	}
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Request, error) { return t.file(ctx, r, lifetime) })
}

func first(all []Request) (r Request) {
	if len(all) > 0 {
		r = all[0]
	}
	return r
}

func (t *transaction) file(ctx context.Context, r Request, lifetime time.Duration) (Request, error) {
	r.At = t.now()
	r.Expires = r.At.Add(lifetime)
	if _, err := t.exec(ctx, expireRequests, r.At.UnixMicro()); err != nil {
		return r, err
	}
	waits, err := waiting(ctx, t.conn, t.e, "WHERE id = ?", r.ID)
	if err != nil || len(waits) != 0 {
		return first(waits), err
	}
	denied, err := t.denial(ctx, r.Name)
	switch {
	case err != nil:
		return r, err
	case denied != nil:
		return r, denied
	}
	decided, err := decision(ctx, t.conn, t.e, r.ID, r.At)
	if err != nil || decided != nil { // the operator was faster: the host finds that when it asks again
		return r, err
	}
	if err := checkRoom(ctx, t.conn, t.e, sourceOf(r.Address), r.At); err != nil {
		return r, err
	}
	r.New = true
	return r, t.send(ctx, one(insertRequest, r.values()...))
}

func (r *Request) values() []any {
	address := ""
	if r.Address.IsValid() {
		address = r.Address.Unmap().WithZone("").String()
	}
	return []any{r.ID, r.Name, strings.Join(r.SANs, "\n"), r.Profile, r.KeyHash, r.KeyPlace, address, sourceOf(r.Address), r.At.UnixMicro(), r.Expires.UnixMicro()}
}

// checkRoom returns a *TooManyRequestsError at a limit.
func checkRoom(ctx context.Context, q querier, e *engine, source string, now time.Time) error {
	var all, same int
	err := q.QueryRowContext(ctx, e.sql(countRequests), source, now.UnixMicro()).Scan(&all, &same)
	switch {
	case err != nil:
		return err
	case same >= maxWaitingOfSource:
		return &TooManyRequestsError{source, maxWaitingOfSource}
	case all >= maxWaiting:
		return &TooManyRequestsError{"", maxWaiting}
	}
	return nil
}

// Requests yields the requests that wait, the oldest first.
func (l *Ledger) Requests(ctx context.Context) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		all, err := waiting(ctx, l.db, l.engine, "WHERE expires_at >= ? ORDER BY asked_at, id", l.now().UnixMicro())
		if err != nil {
			yield(Request{}, l.engine.explain(err))
			return
		}
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// waiting returns the requests that match a clause: maxWaiting at most.
func waiting(ctx context.Context, q querier, e *engine, which string, args ...any) ([]Request, error) {
	rows, err := q.QueryContext(ctx, e.sql(readRequests+which), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanRequest)
}

func scanRequest(row scanner) (Request, error) {
	var r Request
	var names, address string
	var asked, expires int64
	if err := row.Scan(&r.ID, &r.Name, &names, &r.Profile, &r.KeyHash, &r.KeyPlace, &address, &asked, &expires); err != nil {
		return r, err
	}
	r.SANs, r.At, r.Expires = lines(names), time.UnixMicro(asked).UTC(), time.UnixMicro(expires).UTC()
	r.Address, _ = netip.ParseAddr(address) // invalid if it is empty
	return r, nil
}
