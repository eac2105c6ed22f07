package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

const (
	floorBatch = 1000 // certificates of a transaction
	floorRows  = 20_000
)

// floor deletes the rows of certificates, the oldest first, without any check, and returns the rate: the tables
// have the indexes that they have, and commits do not wait for the disk. What is left is no ledger.
func floor(ctx context.Context, where string) (rate float64, err error) {
	driver, source, begin := "sqlite", "file:"+where+"?_pragma=busy_timeout(5000)&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-8000)&_pragma=synchronous(1)", "BEGIN IMMEDIATE"
	if isServer(where) {
		driver, source, begin = "pgx", where, "BEGIN; SET LOCAL synchronous_commit = off"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	var first int64
	if err := conn.QueryRowContext(ctx, "SELECT min(seq) FROM certificates WHERE kind = 'leaf'").Scan(&first); err != nil {
		return 0, err
	}
	start := time.Now()
	for from := first; from < first+floorRows; from += floorBatch {
		all := []string{begin}
		for _, table := range []string{"certificates", "names", "entries"} {
			all = append(all, fmt.Sprintf("DELETE FROM %s WHERE seq >= %d AND seq < %d", table, from, from+floorBatch))
		}
		for _, text := range append(all, "COMMIT") {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return 0, err
			}
		}
	}
	return floorRows / time.Since(start).Seconds(), nil
}
