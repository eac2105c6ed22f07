// Command issue-floor is the floor for issuing: the least program that verifies requests and
// signs certificates with a P-256 CA, in memory or with one durable insert for each. It
// checks nothing else. It prints how many it made in a second.
//
// usage: issue-floor CERTIFICATES [DATABASE]
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strconv"

	_ "modernc.org/sqlite"

	"kedge/scripts/bench/workload"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "issue-floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 && len(args) != 2 {
		return errors.New("give CERTIFICATES [DATABASE]")
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
	record := func(*big.Int, []byte) error { return nil }
	if len(args) == 2 {
		db, err := open(args[1])
		if err != nil {
			return err
		}
		defer db.Close()
		record = func(serial *big.Int, der []byte) error {
			_, err := db.Exec("INSERT INTO certificates VALUES (?, ?)", serial.Text(16), der)
			return err
		}
	}
	perSecond, err := workload.Run(n, func(i int) error {
		serial, der, err := root.Issue(requests[i])
		if err != nil {
			return err
		}
		return record(serial, der)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%.1f\n", perSecond)
	return err
}

func open(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer, and its wait for the lock is slower than Go's
	_, err = db.Exec("CREATE TABLE IF NOT EXISTS certificates (serial TEXT PRIMARY KEY, der BLOB NOT NULL) WITHOUT ROWID")
	return db, err
}
