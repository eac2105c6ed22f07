package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// sendPostgres sends all statements before it waits for the first answer.
func sendPostgres(ctx context.Context, s *session, all []statement) ([]int64, error) {
	changed := make([]int64, len(all))
	err := s.conn.Raw(func(dc any) error {
		conn := dc.(*stdlib.Conn).Conn()
		if conn.Config().DefaultQueryExecMode == pgx.QueryExecModeExec {
			return sendKept(ctx, conn.PgConn(), s, all, changed)
		}
		var batch pgx.Batch
		for _, one := range all {
			batch.Queue(s.text(one.text), one.args...)
		}
		results := conn.SendBatch(ctx, &batch)
		for i := range all {
			tag, err := results.Exec()
			if err != nil {
				return errors.Join(err, results.Close())
			}
			changed[i] = tag.RowsAffected()
		}
		return results.Close()
	})
	return changed, err
}

// processOf returns the process of the server that greeted a connection; a pooler makes a number up.
// 0: unknown.
func processOf(conn *sql.Conn) (process int64) {
	_ = conn.Raw(func(dc any) error {
		if c, ok := dc.(*stdlib.Conn); ok {
			process = int64(c.Conn().PgConn().PID())
		}
		return nil
	})
	return process
}

// maxKept bounds the statements that a connection keeps in the server.
const maxKept = 64

// keep has the server keep the statements with arguments that were sent before, so that it neither
// parses nor plans them again.
func (s *session) keep(ctx context.Context, conn *pgconn.PgConn, all []statement) error {
	names := map[string]string{}
	var p *pgconn.Pipeline
	for _, one := range all {
		_, before := s.texts[one.text]
		known := s.kept[one.text] != "" || names[one.text] != ""
		if !s.direct || !before || known || len(one.args) == 0 || len(s.kept)+len(names) == maxKept {
			continue
		}
		if p == nil {
			p = conn.StartPipeline(ctx)
		}
		s.names++ // a name is used once: one that failed may be taken
		names[one.text] = "kedge_" + strconv.Itoa(s.names)
		_, types, _ := encodeArgs(one.args)
		p.SendPrepare(names[one.text], s.text(one.text), types)
	}
	if p == nil {
		return nil
	}
	if err := errors.Join(p.Sync(), p.Close()); err != nil {
		return err
	}
	maps.Copy(s.kept, names)
	return nil
}

// sendKept has the server parse a statement that it does not keep once for consecutive statements with
// the same text: the unnamed statement stays until the next one is parsed, and all belong to one
// transaction, so to one connection of a pooler.
//
// Source: PostgreSQL, 55.2.3 "Extended Query", on the unnamed prepared statement.
func sendKept(ctx context.Context, conn *pgconn.PgConn, s *session, all []statement, changed []int64) error {
	if err := s.keep(ctx, conn, all); err != nil {
		return err
	}
	var batch pgconn.Batch
	for i, one := range all {
		values, types, formats := encodeArgs(one.args)
		if name := s.kept[one.text]; s.direct && name != "" {
			batch.ExecPrepared(name, values, formats, nil)
		} else if i != 0 && all[i-1].text == one.text && len(one.args) != 0 {
			batch.ExecPrepared("", values, formats, nil)
		} else {
			batch.ExecParams(s.text(one.text), values, types, formats, nil)
		}
	}
	results := conn.ExecBatch(ctx, &batch)
	for i := 0; results.NextResult(); i++ {
		tag, err := results.ResultReader().Close()
		if err != nil {
			return errors.Join(err, results.Close())
		}
		changed[i] = tag.RowsAffected()
	}
	return results.Close()
}

// askPostgres sends all statements and lookups before it waits for the first answer. Modes that prepare
// statements would do so before the first is run, which says in which schema names are looked up.
func askPostgres(ctx context.Context, s *session, before []statement, all []lookup) error {
	var batch pgx.Batch
	for _, one := range before {
		batch.Queue(s.text(one.text), one.args...)
	}
	for _, q := range all {
		batch.Queue(s.e.sql(q.text), q.args...).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := q.row(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
	together := false
	err := s.conn.Raw(func(dc any) error {
		conn := dc.(*stdlib.Conn).Conn()
		if together = conn.Config().DefaultQueryExecMode == pgx.QueryExecModeExec; !together {
			return nil
		}
		return conn.SendBatch(ctx, &batch).Close()
	})
	if together || err != nil {
		return err
	}
	return askInTurn(ctx, s, before, all)
}

// encodeArgs encodes arguments in PostgreSQL's binary format. NULL has no type, so that the
// column's is used.
func encodeArgs(args []any) (values [][]byte, types []uint32, formats []int16) {
	for _, arg := range args {
		var value []byte
		var oid uint32
		switch v := arg.(type) {
		case int64:
			value, oid = binary.BigEndian.AppendUint64(nil, uint64(v)), pgtype.Int8OID
		case string:
			value, oid = []byte(v), pgtype.TextOID
		case []byte:
			value, oid = v, pgtype.ByteaOID
		}
		values, types, formats = append(values, value), append(types, oid), append(formats, pgx.BinaryFormatCode)
	}
	return values, types, formats
}
