package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// newestSchema is the version that this program creates and reads: the highest number of a file in
// schema/.
const newestSchema = 4

// schemaTable is the table in which goose stores the version. It has a name of its own, in case
// another program uses goose in the same database.
const schemaTable = "kedge_schema"

// schemaVersion is the only query of opening a ledger.
const schemaVersion = "SELECT max(version_id) FROM " + schemaTable

// migrate migrates the database to newestSchema, each version in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, e *engine) error {
	all, err := migrations(e)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(e.goose, db, nil, goose.WithGoMigrations(all...),
		goose.WithTableName(schemaTable), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// migrations returns the versions for goose.
func migrations(e *engine) ([]*goose.Migration, error) {
	versions, err := schemaVersions(e)
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, v := range versions {
		all = append(all, goose.NewGoMigration(v.number, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if err := e.lockMigrations(ctx, tx, v.number); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, v.text); err != nil {
				return err
			}
			return fillVersion(ctx, tx, e, v.number)
		}}, nil))
	}
	return all, nil
}

// errMigrated ends a migration that another process has made meanwhile.
var errMigrated = errors.New("another process has migrated the ledger")

// lockMigrations waits for other processes that migrate, locks them out until the transaction ends, and
// returns errMigrated if they have done it.
func (e *engine) lockMigrations(ctx context.Context, tx *sql.Tx, version int64) error {
	if e.migrationLock == "" {
		return nil
	}
	for _, text := range []string{e.local, e.migrationLock} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	var done int64
	err := tx.QueryRowContext(ctx, e.sql("SELECT count(*) FROM "+schemaTable+" WHERE version_id = ?"), version).Scan(&done)
	if err == nil && done != 0 {
		err = errMigrated
	}
	return err
}

// fillVersion writes the initial rows of a version.
func fillVersion(ctx context.Context, tx *sql.Tx, e *engine, number int64) error {
	switch number {
	case 1:
		_, err := tx.ExecContext(ctx, e.sql("INSERT INTO head (id, seq, hash) VALUES (1, 0, ?)"), make([]byte, hashSize))
		return err
	case 2:
		return backfill(ctx, tx, e)
	}
	return nil
}

// version is a version of the schema.
type version struct {
	number int64
	text   string
}

// schemaVersions reads schema/, in the syntax of the engine.
func schemaVersions(e *engine) ([]version, error) {
	files, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	var all []version
	for _, f := range files {
		number, err := strconv.ParseInt(strings.TrimSuffix(f.Name(), ".sql"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("schema/%s: the name is not a number: %w", f.Name(), err)
		}
		data, err := schemaFiles.ReadFile(path.Join("schema", f.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, version{number, e.schema.Replace(string(data))})
	}
	slices.SortFunc(all, func(a, b version) int { return cmp.Compare(a.number, b.number) })
	return all, nil
}
