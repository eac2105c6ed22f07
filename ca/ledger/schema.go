package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// newestSchema is the version that this program makes and reads: the highest number of a
// file in schema/.
const newestSchema = 1

// schemaTable is where goose notes the version. It has a name of its own, in case another
// program of the same database uses goose too.
const schemaTable = "kedge_schema"

// schemaVersion is the one question that opening a ledger asks.
const schemaVersion = "SELECT max(version_id) FROM " + schemaTable

// migrate brings the database to newestSchema, each version in a transaction of its own.
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

// migrations reads schema/, in the words of the engine.
func migrations(e *engine) ([]*goose.Migration, error) {
	files, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, f := range files {
		version, err := strconv.ParseInt(strings.TrimSuffix(f.Name(), ".sql"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("schema/%s: the name is not a number: %w", f.Name(), err)
		}
		data, err := schemaFiles.ReadFile(path.Join("schema", f.Name()))
		if err != nil {
			return nil, err
		}
		text := e.schema.Replace(string(data))
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
			if version != 1 {
				return nil
			}
			_, err := tx.ExecContext(ctx, e.sql("INSERT INTO head (id, seq, hash) VALUES (1, 0, ?)"), make([]byte, hashSize))
			return err
		}}, nil))
	}
	return all, nil
}
