// Command issue-postgres-floor is the floor for issuing with a ledger in PostgreSQL: the least
// program that verifies requests, signs, and has the same statements run on the same tables in the
// same number of round trips and commits. It checks only the server's errors: no rule, no lint, no
// result. It prints how many certificates it made in a second.
//
// usage: issue-postgres-floor CERTIFICATES DSN
//
// The database must have a ledger's tables.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kedge/scripts/bench/workload"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "issue-postgres-floor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("give CERTIFICATES DSN")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	requests, err := workload.Requests(n)
	if err != nil {
		return err
	}
	root, err := workload.NewRoot()
	if err != nil {
		return err
	}
	conn, err := pgconn.Connect(ctx, args[1])
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	w := &writer{conn: conn, queue: make(chan *job, workload.Workers), prefix: time.Now().UnixNano()}
	if w.seq, err = w.head(ctx); err != nil {
		return err
	}
	go w.run(ctx)
	perSecond, err := workload.Run(n, func(i int) error {
		_, der, err := root.Issue(requests[i])
		if err != nil {
			return err
		}
		j := &job{der: der, done: make(chan error, 1)}
		w.queue <- j
		return <-j.done
	})
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%.1f\n", perSecond)
	return err
}

// job is a certificate to be written.
type job struct {
	der  []byte
	done chan error
}

// writer has one connection. Jobs that wait share a transaction.
type writer struct {
	conn   *pgconn.PgConn
	queue  chan *job
	prefix int64 // of names that no other run uses
	seq    int64
}

func (w *writer) run(ctx context.Context) {
	for j := range w.queue {
		batch, err := w.write(ctx, []*job{j})
		for _, j := range batch {
			j.done <- err
		}
	}
}

// collect adds the jobs that are waiting.
func (w *writer) collect(batch []*job) []*job {
	for {
		select {
		case j := <-w.queue:
			batch = append(batch, j)
		default:
			return batch
		}
	}
}

// The statements of a ledger.
const (
	begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
	local = "SELECT set_config('lock_timeout', '10000', true), set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true), set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)"
	scope = `SELECT pg_catalog.set_config('search_path', pg_catalog.concat(pg_catalog.quote_ident(coalesce((
		SELECT n.nspname FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (name, place)
		JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) path.name
		JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid AND c.relname OPERATOR(pg_catalog.=) 'kedge_schema'::pg_catalog.name
		ORDER BY place LIMIT 1), pg_catalog.current_schema())), ', pg_temp'), true),
	pg_catalog.set_config('bytea_output', 'hex', true),
	pg_catalog.set_config('standard_conforming_strings', 'on', true),
	pg_catalog.set_config('quote_all_identifiers', 'off', true)`
	head    = "SELECT seq, hash, at, (extract(epoch from clock_timestamp()) * 1000000)::bigint FROM head FOR UPDATE"
	issuers = `SELECT a.name, a.parent, a.state, c.subject, c.key_hash, c.not_before, c.not_after, c.revoked_at, c.reason
		FROM authorities a CROSS JOIN LATERAL (SELECT * FROM certificates WHERE fingerprint = a.fingerprint OFFSET 0) c`
	compromised = "SELECT c.seq FROM certificates c WHERE c.key_hash = ? AND c.revoked_at IS NOT NULL AND c.reason IN (1, 2) LIMIT 1"
	revokedKey  = `SELECT c.seq FROM certificates c WHERE c.key_hash = ? AND c.revoked_at IS NOT NULL AND c.reason NOT IN (1, 2, 4)
		AND NOT EXISTS (SELECT 1 FROM lineages l JOIN certificates n ON n.seq = l.newest
			WHERE l.id = c.lineage AND n.key_hash = c.key_hash AND n.revoked_at IS NULL AND n.not_after >= ?) LIMIT 1`
	entry       = "INSERT INTO entries (seq, at, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?)"
	certificate = `INSERT INTO certificates (seq, issued_at, fingerprint, serial, issuer_key_id, kind, not_before, not_after, replaces,
		common_name, subject, issuer, host, profile, why, der, key_hash, issuer_key, lineage)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce((SELECT l.id FROM lineages l JOIN certificates n ON n.seq = l.newest
		WHERE l.name = ? AND n.key_hash = ? ORDER BY l.id DESC LIMIT 1), ?)) ON CONFLICT DO NOTHING`
	endLineages = "DELETE FROM lineages WHERE name = ? AND id <> (SELECT lineage FROM certificates WHERE seq = ?)"
	lineage     = `INSERT INTO lineages (id, name, newest, old, common_name, recoveries) SELECT lineage, subject, seq, 0, common_name, 0 FROM certificates WHERE seq = ?
		ON CONFLICT (id) DO UPDATE SET newest = excluded.newest`
	updateHead = "UPDATE head SET seq = ?, hash = ?, tail = ?, at = ?"
)

// write runs one transaction for a job, and for those that arrive until it has the lock: with as
// many round trips as a ledger needs.
func (w *writer) write(ctx context.Context, batch []*job) ([]*job, error) {
	if err := w.send(ctx, []statement{{text: begin}, {text: local}, {text: scope}}); err != nil {
		return batch, err
	}
	if err := w.send(ctx, []statement{{text: head}}); err != nil {
		return batch, err
	}
	batch = w.collect(batch)
	if err := w.send(ctx, []statement{{text: issuers}}); err != nil {
		return batch, err
	}
	texts := []string{compromised, revokedKey, entry, certificate, endLineages, lineage}
	var all []statement
	var hash []byte
	now := time.Now().UnixMicro()
	for _, text := range texts { // grouped by text, as in a ledger
		for i, j := range batch {
			var args []any
			args, hash = w.args(text, j, w.seq+1+int64(i), now)
			all = append(all, statement{text, args})
		}
	}
	w.seq += int64(len(batch))
	if err := w.send(ctx, all); err != nil {
		return batch, err
	}
	if err := w.send(ctx, []statement{{updateHead, []any{w.seq, hash, -w.seq, now}}}); err != nil {
		return batch, err
	}
	return batch, w.send(ctx, []statement{{text: "COMMIT"}})
}

// args returns values as long as those of a ledger.
func (w *writer) args(text string, j *job, seq, now int64) (args []any, hash []byte) {
	sum := sha256.Sum256(j.der)
	hash = sum[:]
	name := fmt.Sprintf("CN=host-%x-%05d.example.com", w.prefix, seq)
	switch text {
	case compromised:
		return []any{hash}, hash
	case revokedKey:
		return []any{hash, now}, hash
	case entry:
		body := fmt.Sprintf(`{"fingerprint":"%x","serial":"%x","subject":"%s","host":"%s","profile":"workload","by":"ca"}`, sum, sum[:16], name, name[3:])
		return []any{seq, now, "issue", body, hash, hash}, hash
	case certificate:
		return []any{seq, now, hash, hash[:16], hash[:20], "leaf", now, now, []byte(nil), name[3:], name, "CN=Bench CA", name[3:], "workload", "", j.der,
			hash, hash, name, hash, seq}, hash
	case endLineages:
		return []any{name, seq}, hash
	}
	return []any{seq}, hash
}

func (w *writer) head(ctx context.Context) (seq int64, err error) {
	r := w.conn.ExecParams(ctx, "SELECT seq FROM head", nil, nil, nil, []int16{1}).Read()
	if r.Err == nil && len(r.Rows) == 1 {
		seq = int64(binary.BigEndian.Uint64(r.Rows[0][0]))
	}
	return seq, r.Err
}

type statement struct {
	text string
	args []any
}

// send sends statements before it waits for the first answer, and parses each text once.
func (w *writer) send(ctx context.Context, all []statement) error {
	var batch pgconn.Batch
	for i, one := range all {
		var values [][]byte
		var types []uint32
		var formats []int16
		for _, arg := range one.args {
			value, oid := []byte(nil), uint32(0)
			switch v := arg.(type) {
			case int64:
				value, oid = binary.BigEndian.AppendUint64(nil, uint64(v)), 20
			case string:
				value, oid = []byte(v), 25
			case []byte:
				value, oid = v, 17
			}
			values, types, formats = append(values, value), append(types, oid), append(formats, 1)
		}
		if i != 0 && all[i-1].text == one.text && len(one.args) != 0 {
			batch.ExecPrepared("", values, formats, nil)
		} else {
			batch.ExecParams(numbered(one.text), values, types, formats, nil)
		}
	}
	_, err := w.conn.ExecBatch(ctx, &batch).ReadAll()
	return err
}

// numbered replaces the ? of a statement by PostgreSQL's parameters.
func numbered(text string) string {
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(text, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}
